"""CloudWatch alarms from the catalogue, and a composite alarm for a region."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.monitoring.alarm import Alarm, Watched

# API CloudWatch.PutCompositeAlarm.
_MOST_CHILDREN = 100


@dataclass(frozen=True, kw_only=True)
class AlarmsArgs:
    """All alarms of one region that one stack makes. The provider must be that region's."""

    prefix: str  # of the alarms' names
    region: str
    topic_arn: pulumi.Input[str]  # in the same region: alarms can notify no other [CW-1]
    watched: Sequence[Watched]
    composite: str | None  # the name of the alarm that sums up the urgent ones

    def __post_init__(self) -> None:
        names = [self.name_of(thing, alarm) for thing in self.watched for alarm in thing.alarms]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"alarms {', '.join(twice)} are there twice; give what they watch names of their own")
        misplaced = [alarm for alarm in self._alarms() if alarm.home == "us-east-1" != self.region]
        if misplaced:
            raise ValueError(
                f"{misplaced[0].metric} exists in us-east-1 only, not in {self.region}; make its alarm there"
            )
        urgent = sum(alarm.urgent for alarm in self._alarms())
        if self.composite is not None and not 1 <= urgent <= _MOST_CHILDREN:
            raise ValueError(
                f"composite alarm {self.composite} sums up {urgent} alarms; 1 to {_MOST_CHILDREN} are possible"
            )

    def name_of(self, thing: Watched, alarm: Alarm) -> str:
        return f"{self.prefix}-{thing.name}-{alarm.key}"

    def _alarms(self) -> list[Alarm]:
        return [alarm for thing in self.watched for alarm in thing.alarms]


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
            for thing in args.watched
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
    thing: Watched,
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
        namespace=alarm.namespace,
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
