"""Alarm definitions as plain dataclasses, and the CloudWatch alarms made from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pulumi
import pulumi_aws as aws

Comparison = Literal["GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold"]
Missing = Literal["breaching", "notBreaching", "ignore", "missing"]
MetricRegion = Literal["own", "source", "destination", "reader", "us-east-1"]
"""The region whose CloudWatch has the metric, and where the alarm must therefore live [CW-1]: that of the thing itself;
of what is replicated from; of what is replicated to; of whichever database member is the reader at the time, hence
both; or us-east-1, regardless of the regions in use."""

_STATISTICS = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")
# API CloudWatch.PutMetricAlarm: up to a day for periods under an hour, up to seven days from an hour on.
_HOUR, _DAY = 3600, 86400


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One entry of the catalogue; by default an alarm that goes off when the metric counted something in one minute.
    `dimensions` gives, for each of AWS's dimensions, the key of its value in `Monitored.dimensions`."""

    key: str
    namespace: str | None  # None: that of our functions' metrics, `Monitored.namespace`
    metric: str
    dimensions: Mapping[str, str]
    statistic: str = "Sum"  # Average, Sum, ... or a percentile: p99
    period: int = 60  # seconds
    evaluation_periods: int = 1
    datapoints: int = 1  # how many of them must breach
    threshold: float = 1  # in the metric's unit; or, with `share_of`, a share of a limit of the monitored thing
    share_of: str | None = None
    comparison: Comparison = "GreaterThanOrEqualToThreshold"
    missing: Missing = "notBreaching"
    missing_reason: str
    reason: str  # what it means and what to check first; part of the notification
    source: str  # ids of docs/references.md, in square brackets
    metric_region: MetricRegion = "own"
    urgent: bool = False  # the region is degraded: part of the region's composite alarm

    def __post_init__(self) -> None:
        if not 1 <= self.datapoints <= self.evaluation_periods:
            raise ValueError(f"alarm {self.key} requires {self.datapoints} of {self.evaluation_periods} datapoints")
        if self.period * self.evaluation_periods > (_DAY if self.period < _HOUR else 7 * _DAY):
            raise ValueError(f"alarm {self.key} covers a longer time than CloudWatch allows; shorten it")

    @property
    def is_percentile(self) -> bool:
        return self.statistic not in _STATISTICS

    def limit(self, limits: Mapping[str, float]) -> float:
        """The threshold for a thing with these limits. Raises KeyError when its limit is not among them."""
        return self.threshold if self.share_of is None else self.threshold * limits[self.share_of]


@dataclass(frozen=True, kw_only=True)
class Monitored:
    """A monitored resource and its alarms. Values of dimensions may be Pulumi outputs."""

    name: str  # part of its alarms' names: `payments`
    alarms: Sequence[Alarm]
    dimensions: Mapping[str, Any]  # role to value
    limits: Mapping[str, float] | None = None
    namespace: str | None = None  # of the metrics that our functions publish

    def __post_init__(self) -> None:
        for alarm in self.alarms:
            if lacking := sorted(set(alarm.dimensions.values()) - set(self.dimensions)):
                raise ValueError(f"alarm {alarm.key} needs the {', '.join(lacking)} of {self.name}")
            if alarm.namespace is None and self.namespace is None:
                raise ValueError(f"alarm {alarm.key} needs the namespace of the metrics of {self.name}")
            if alarm.share_of is not None and alarm.share_of not in (self.limits or {}):
                raise ValueError(f"alarm {alarm.key} needs the limit {alarm.share_of} of {self.name}")

    def threshold(self, alarm: Alarm) -> float:
        return alarm.limit(self.limits or {})

    def namespace_of(self, alarm: Alarm) -> str:
        namespace = alarm.namespace or self.namespace
        assert namespace is not None
        return namespace

    def dimensions_of(self, alarm: Alarm) -> dict[str, Any]:
        """As AWS names them, in a fixed order."""
        return {name: self.dimensions[role] for name, role in sorted(alarm.dimensions.items())}


# API CloudWatch.PutCompositeAlarm.
_MOST_CHILDREN = 100


@dataclass(frozen=True, kw_only=True)
class AlarmsArgs:
    """All alarms of one region that one stack makes. The provider must be that region's."""

    prefix: str  # of the alarms' names
    region: str
    topic_arn: pulumi.Input[str]  # in the same region: alarms can notify no other [CW-1]
    monitored: Sequence[Monitored]
    composite: str | None  # the name of the alarm that sums up the urgent ones

    def __post_init__(self) -> None:
        names = [self.name_of(thing, alarm) for thing in self.monitored for alarm in thing.alarms]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"alarms {', '.join(twice)} are there twice; give what they watch names of their own")
        misplaced = [alarm for alarm in self._alarms() if alarm.metric_region == "us-east-1" != self.region]
        if misplaced:
            raise ValueError(
                f"{misplaced[0].metric} exists in us-east-1 only, not in {self.region}; make its alarm there"
            )
        urgent = sum(alarm.urgent for alarm in self._alarms())
        if self.composite is not None and not 1 <= urgent <= _MOST_CHILDREN:
            raise ValueError(
                f"composite alarm {self.composite} sums up {urgent} alarms; 1 to {_MOST_CHILDREN} are possible"
            )

    def name_of(self, thing: Monitored, alarm: Alarm) -> str:
        return f"{self.prefix}-{thing.name}-{alarm.key}"

    def _alarms(self) -> list[Alarm]:
        return [alarm for thing in self.monitored for alarm in thing.alarms]


class Alarms(pulumi.ComponentResource):
    """Each notifies the topic when it goes off and when it ends. The composite alarm sends one notification where
    several urgent alarms would: the region is degraded."""

    names: list[pulumi.Output[str]]

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:alarms:Alarms", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        made = {
            (thing.name, alarm.key): (
                alarm,
                metric_alarm(
                    f"{name}-{thing.name}-{alarm.key}",
                    args.name_of(thing, alarm),
                    thing,
                    alarm,
                    topic_arn=args.topic_arn,
                    opts=child,
                ),
            )
            for thing in args.monitored
            for alarm in thing.alarms
        }
        self.names = [resource.name for _, resource in made.values()]
        if args.composite is not None:
            urgent = [resource.name for alarm, resource in made.values() if alarm.urgent]
            # By name, so that the alarms it sums up are there before it is, and as long as it is [CW-2].
            rule = pulumi.Output.all(*urgent).apply(lambda names: " OR ".join(f'ALARM("{each}")' for each in names))
            aws.cloudwatch.CompositeAlarm(
                f"{name}-region",
                alarm_name=args.composite,
                alarm_description=f"{args.region} is degraded: at least one of its alarms is in ALARM.",
                alarm_rule=rule,
                alarm_actions=[args.topic_arn],
                ok_actions=[args.topic_arn],
                opts=child,
            )
        self.register_outputs({})


def metric_alarm(
    resource_name: str,
    alarm_name: str,
    thing: Monitored,
    alarm: Alarm,
    *,
    topic_arn: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> aws.cloudwatch.MetricAlarm:
    """One alarm of the catalogue, on one thing."""
    return aws.cloudwatch.MetricAlarm(
        resource_name,
        name=alarm_name,
        alarm_description=alarm.reason,
        namespace=thing.namespace_of(alarm),
        metric_name=alarm.metric,
        dimensions=thing.dimensions_of(alarm),
        statistic=None if alarm.is_percentile else alarm.statistic,
        extended_statistic=alarm.statistic if alarm.is_percentile else None,
        period=alarm.period,
        evaluation_periods=alarm.evaluation_periods,
        datapoints_to_alarm=alarm.datapoints,
        threshold=thing.threshold(alarm),
        comparison_operator=alarm.comparison,
        treat_missing_data=alarm.missing,
        alarm_actions=[topic_arn],
        ok_actions=[topic_arn],
        opts=opts,
    )
