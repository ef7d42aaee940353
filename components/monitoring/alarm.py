"""Alarm definitions as plain dataclasses; no Pulumi resources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Comparison = Literal["GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold"]
Missing = Literal["breaching", "notBreaching", "ignore", "missing"]
Home = Literal["own", "source", "destination", "reader", "us-east-1"]
"""The region whose CloudWatch has the metric, and where the alarm must therefore live [CW-1]: that of the thing itself;
of what is replicated from; of what is replicated to; of whichever database member is the reader at the time, hence
both; or us-east-1, regardless of the regions in use."""

_STATISTICS = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")
# API CloudWatch.PutMetricAlarm: up to a day for periods under an hour, up to seven days from an hour on.
_HOUR, _DAY = 3600, 86400


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One entry of the catalogue; by default an alarm that goes off when the metric counted something in one minute.
    `dimensions` gives, for each of AWS's dimensions, the key of its value in `Watched.dimensions`."""

    key: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str = "Sum"  # Average, Sum, ... or a percentile: p99
    period: int = 60  # seconds
    evaluation_periods: int = 1
    datapoints: int = 1  # how many of them must breach
    threshold: float = 1  # in the metric's unit; or, with `share_of`, a share of a limit of the watched thing
    share_of: str | None = None
    comparison: Comparison = "GreaterThanOrEqualToThreshold"
    missing: Missing = "notBreaching"
    missing_reason: str
    reason: str  # what it means and what to check first; part of the notification
    source: str  # ids of docs/references.md, in square brackets
    home: Home = "own"
    urgent: bool = False  # the region is degraded: part of the region's composite alarm

    def __post_init__(self) -> None:
        if not 1 <= self.datapoints <= self.evaluation_periods:
            raise ValueError(f"alarm {self.key} wants {self.datapoints} of {self.evaluation_periods} datapoints")
        if self.period * self.evaluation_periods > (_DAY if self.period < _HOUR else 7 * _DAY):
            raise ValueError(f"alarm {self.key} covers a longer time than CloudWatch allows; shorten it")

    @property
    def is_percentile(self) -> bool:
        return self.statistic not in _STATISTICS

    def limit(self, limits: Mapping[str, float]) -> float:
        """The threshold for a thing with these limits. Raises KeyError when its limit is not among them."""
        return self.threshold if self.share_of is None else self.threshold * limits[self.share_of]


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A monitored resource and its alarms. Values of dimensions may be Pulumi outputs."""

    name: str  # part of its alarms' names: `payments`
    alarms: Sequence[Alarm]
    dimensions: Mapping[str, Any]  # role to value
    limits: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        for alarm in self.alarms:
            if lacking := sorted(set(alarm.dimensions.values()) - set(self.dimensions)):
                raise ValueError(f"alarm {alarm.key} needs the {', '.join(lacking)} of {self.name}")
            if alarm.share_of is not None and alarm.share_of not in (self.limits or {}):
                raise ValueError(f"alarm {alarm.key} needs the limit {alarm.share_of} of {self.name}")

    def threshold(self, alarm: Alarm) -> float:
        return alarm.limit(self.limits or {})

    def dimensions_of(self, alarm: Alarm) -> dict[str, Any]:
        """As AWS names them, in a fixed order."""
        return {name: self.dimensions[role] for name, role in sorted(alarm.dimensions.items())}
