"""Evaluation of CloudWatch's metric alarms in AWS time.

ministack evaluates whenever a metric is written, with all dimensions mixed and without a clock. That is switched off,
and states are set here as SetAlarmState does, so that history, composite alarms and SNS actions follow. Periods are cut
in AWS time and converted to Unix times of this machine, which datapoints bear. So a period during which the speed
changes has the datapoints of exactly its AWS seconds. Metric math and anomaly bands are refused.

A state follows from the datapoints of the evaluation range as CloudWatch defines it [CW-6]; the tests repeat its
tables: more periods are read than the alarm evaluates, missing ones are filled in as few times as possible, and an old
breaching datapoint followed by missing ones only is an alarm.
"""

import itertools
import json
import logging
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from localaws import emulator
from localaws.core.clock import Clock
from localaws.core.control import Control
from localaws.core.outages import Outages
from localaws.emulator.services import AwsRefusal, JsonCall
from localaws.services.component import BackgroundTask

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
_MORE_PERIODS = 2  # the guide's example reads five for three; "the exact number" is not documented

_COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
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
        if record["ComparisonOperator"] not in _COMPARISONS:
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
        """Periods to read."""
        return self.evaluation_periods + _MORE_PERIODS

    def breaches(self, value: float) -> bool:
        return _COMPARISONS[self.comparison][0](value, self.threshold)


@dataclass(frozen=True)
class Verdict:
    """`state` None: it stays as it is."""

    state: str | None
    reason: str


def judge(rule: Rule, datapoints: Sequence[float | None]) -> Verdict:
    """`datapoints` has one value per period of the evaluation range, the oldest first; None where there is none."""
    present = [value for value in datapoints if value is not None]
    evaluated = present[-rule.evaluation_periods :]
    lacking = rule.evaluation_periods - len(evaluated)
    breaching = sum(rule.breaches(value) for value in evaluated)
    filled = lacking if rule.missing == "breaching" else 0
    if breaching + filled >= rule.datapoints_to_alarm:
        return Verdict(ALARM, _crossed(rule, evaluated, breaching, filled))
    if not lacking or rule.missing in ("breaching", "notBreaching"):
        return Verdict(OK, _crossed(rule, evaluated, len(evaluated) - breaching, 0, crossed=False))
    if not present:
        unknown = f"Insufficient Data: {rule.evaluation_periods} datapoints were unknown."
        return Verdict(INSUFFICIENT_DATA if rule.missing == "missing" else None, unknown)
    if breaching == len(evaluated):
        if rule.missing == "ignore":
            return Verdict(None, "Too few datapoints; missing ones are ignored.")
        if _oldest_breaching(rule, datapoints) >= rule.datapoints_to_alarm:
            return Verdict(ALARM, _crossed(rule, evaluated, breaching, 0))
    return Verdict(OK, _crossed(rule, evaluated, len(evaluated) - breaching, 0, crossed=False))


def _oldest_breaching(rule: Rule, datapoints: Sequence[float | None]) -> int:
    """The age of the oldest breaching datapoint in periods; the latest period counts as 1."""
    recent = list(reversed(datapoints))
    return max(
        (age for age, value in enumerate(recent, start=1) if value is not None and rule.breaches(value)), default=0
    )


def _crossed(rule: Rule, evaluated: Sequence[float], count: int, filled: int, *, crossed: bool = True) -> str:
    shown = ", ".join(str(value) for value in evaluated)
    negated = "" if crossed else "not "
    text = (
        f"Threshold Crossed: {count} out of the last {rule.evaluation_periods} datapoints [{shown}] were {negated}"
        f"{_COMPARISONS[rule.comparison][1]} the threshold ({rule.threshold})"
    )
    return f"{text} and {filled} missing datapoints were treated as [Breaching]." if filled else f"{text}."


# AWS seconds: CloudWatch evaluates alarms every minute, those on high-resolution metrics every 10 seconds [CW-6].
_MINUTE = 60.0
_INTERVAL = 5.0  # AWS seconds between two checks for alarms that are due
_SHORTEST_INTERVAL = 0.05  # seconds of this machine, however fast AWS time runs

Alarm = tuple[str, str, str]  # account, region, name
logger = logging.getLogger(__name__)


class Alarms(BackgroundTask):
    """Runs in the event loop, as the emulator itself does."""

    def __init__(self, clock: Clock, outages: Outages) -> None:
        self._clock = clock
        self._outages = outages
        self._evaluated: dict[Alarm, tuple[int, int]] = {}  # its last change, and the last step it was evaluated in

    def install(self, control: Control) -> None:
        emulator.cloudwatch.stop_alarm_evaluation()
        emulator.services.answer_json_actions("cloudwatch", {"PutMetricAlarm": self._check}, self._evaluated.clear)
        control.section("alarms", self.status)

    def status(self) -> list[dict[str, Any]]:
        """The alarms that are not OK."""
        return [
            {"region": region, "name": name, "state": record["StateValue"], "reason": record["StateReason"]}
            for (_, region, name), record in sorted(emulator.cloudwatch.alarm_records().items())
            if record["StateValue"] != "OK"
        ]

    def evaluate_due(self) -> None:
        """Evaluate every alarm whose next step of time has come."""
        records = emulator.cloudwatch.metric_alarm_records()
        for gone in self._evaluated.keys() - records.keys():
            del self._evaluated[gone]
        for alarm, record in records.items():
            if self._outages.is_lost(alarm[1]):
                continue
            step = int(self._clock.now() / _step(record))
            changed = record["AlarmConfigurationUpdatedTimestamp"]
            known, last = self._evaluated.get(alarm, (None, 0))
            if known != changed:
                # A new or changed alarm gives its metric one whole step before missing data counts.
                self._evaluated[alarm] = (changed, step + 1)
            elif step > last:
                self._evaluated[alarm] = (changed, step)
                self._evaluate(alarm, record, step)

    async def run(self) -> None:
        while True:
            try:
                self.evaluate_due()
            except Exception:
                logger.exception("event=alarm_evaluation_failed")
            await self._clock.sleep(_INTERVAL, least=_SHORTEST_INTERVAL)

    def _evaluate(self, alarm: Alarm, record: dict[str, Any], step: int) -> None:
        verdict = self._verdict(alarm, record, step)
        if verdict.state is not None and verdict.state != record["StateValue"]:
            _, region, name = alarm
            logger.info("event=alarm_state %s in %s is %s: %s", name, region, verdict.state, verdict.reason)
            about = {"version": "1.0", "period": record["Period"], "threshold": record["Threshold"]}
            emulator.cloudwatch.set_alarm_state(*alarm, verdict.state, verdict.reason, json.dumps(about))

    def _verdict(self, alarm: Alarm, record: dict[str, Any], step: int) -> Verdict:
        try:
            rule = Rule.of(record)
            return judge(rule, self._datapoints(alarm, record, rule.evaluation_range, step))
        except ValueError as problem:
            return Verdict(INSUFFICIENT_DATA, str(problem))

    def _datapoints(self, alarm: Alarm, record: dict[str, Any], periods: int, step: int) -> list[float | None]:
        """One value per period up to the last whole step of time, the oldest first."""
        end, period = step * _step(record), record["Period"]
        edges = [self._clock.unix(end - age * period) for age in reversed(range(periods + 1))]
        account, region, _ = alarm
        return [
            emulator.cloudwatch.metric_value(
                account,
                region,
                namespace=record["Namespace"],
                metric=record["MetricName"],
                dimensions={pair["Name"]: pair["Value"] for pair in record["Dimensions"]},
                statistic=record.get("ExtendedStatistic") or record["Statistic"],
                unit=record.get("Unit"),
                start=begins,
                end=ends,
            )
            for begins, ends in itertools.pairwise(edges)
        ]

    def _check(self, call: JsonCall) -> None:
        """Refuse what could never be evaluated here; the emulator would accept it and never evaluate it."""
        if call.parameters.get("Metrics"):
            raise AwsRefusal("InvalidParameterCombination", "The embedded AWS evaluates no metric math.")
        if call.parameters.get("ThresholdMetricId") or "Threshold" not in call.parameters:
            raise AwsRefusal("InvalidParameterCombination", "The embedded AWS evaluates no anomaly bands.")


def _step(record: dict[str, Any]) -> float:
    """AWS seconds between two evaluations."""
    return min(_MINUTE, float(record["Period"]))
