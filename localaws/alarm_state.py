"""What state a metric alarm is in, from the datapoints of its evaluation range. Pure.

As CloudWatch says [CW-6], whose tables the tests repeat: more periods than asked for are looked at, missing ones are
filled in as few times as possible, and an old breaching datapoint with nothing but silence after it is an alarm.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
_MORE_PERIODS = 2  # the guide's example looks at five for three; "the exact number" is not told

_BREACHES: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
_WORDS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The settings of an alarm. `missing`: missing, ignore, breaching or notBreaching."""

    comparison: str
    threshold: float
    evaluation_periods: int
    datapoints_to_alarm: int
    missing: str

    @classmethod
    def of(cls, record: dict[str, Any]) -> "Rule":
        """From an alarm in the API's own field names. Raises ValueError for a comparison with a band."""
        if record["ComparisonOperator"] not in _BREACHES:
            raise ValueError(f"comparison {record['ComparisonOperator']} is not emulated")
        # "Alarms that evaluate metrics in the AWS/DynamoDB namespace always ignore missing data" (API PutMetricAlarm)
        ignoring = record["Namespace"] == "AWS/DynamoDB"
        return cls(
            comparison=record["ComparisonOperator"],
            threshold=float(record["Threshold"]),
            evaluation_periods=int(record["EvaluationPeriods"]),
            datapoints_to_alarm=int(record.get("DatapointsToAlarm") or record["EvaluationPeriods"]),
            missing="ignore" if ignoring else record.get("TreatMissingData") or "missing",
        )

    @property
    def evaluation_range(self) -> int:
        """Periods to look at."""
        return self.evaluation_periods + _MORE_PERIODS

    def breaches(self, value: float) -> bool:
        return _BREACHES[self.comparison](value, self.threshold)


@dataclass(frozen=True)
class Verdict:
    """`state` None: it stays as it is."""

    state: str | None
    reason: str


def judge(rule: Rule, datapoints: Sequence[float | None]) -> Verdict:
    """`datapoints` has one value per period of the evaluation range, the oldest first; None where there is none."""
    present = [value for value in datapoints if value is not None]
    looked_at = present[-rule.evaluation_periods :]
    lacking = rule.evaluation_periods - len(looked_at)
    breaching = sum(rule.breaches(value) for value in looked_at)
    filled = lacking if rule.missing == "breaching" else 0
    if breaching + filled >= rule.datapoints_to_alarm:
        return Verdict(ALARM, _crossed(rule, looked_at, breaching, filled))
    if not lacking or rule.missing in ("breaching", "notBreaching"):
        return Verdict(OK, _crossed(rule, looked_at, len(looked_at) - breaching, 0, crossed=False))
    if not present:
        unknown = f"Insufficient Data: {rule.evaluation_periods} datapoints were unknown."
        return Verdict(INSUFFICIENT_DATA if rule.missing == "missing" else None, unknown)
    if breaching == len(looked_at):
        if rule.missing == "ignore":
            return Verdict(None, "Too few datapoints; missing ones are ignored.")
        if _oldest_breaching(rule, datapoints) >= rule.datapoints_to_alarm:
            return Verdict(ALARM, _crossed(rule, looked_at, breaching, 0))
    return Verdict(OK, _crossed(rule, looked_at, len(looked_at) - breaching, 0, crossed=False))


def _oldest_breaching(rule: Rule, datapoints: Sequence[float | None]) -> int:
    """How many periods ago the oldest breaching datapoint was; the latest period counts as 1."""
    recent = list(reversed(datapoints))
    return max(
        (age for age, value in enumerate(recent, start=1) if value is not None and rule.breaches(value)), default=0
    )


def _crossed(rule: Rule, looked_at: Sequence[float], count: int, filled: int, *, crossed: bool = True) -> str:
    shown = ", ".join(str(value) for value in looked_at)
    negated = "" if crossed else "not "
    text = (
        f"Threshold Crossed: {count} out of the last {rule.evaluation_periods} datapoints [{shown}] were {negated}"
        f"{_WORDS[rule.comparison]} the threshold ({rule.threshold})"
    )
    return f"{text} and {filled} missing datapoints were treated as [Breaching]." if filled else f"{text}."
