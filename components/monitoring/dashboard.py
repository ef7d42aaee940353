"""A CloudWatch dashboard. Its name is taken in the whole account, not in a region [CW-3]."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.monitoring.alarms import Alarm, Monitored

# Every graph names its own region: one dashboard can show both regions, and us-west-2, where Global Accelerator reports
# [CW-4].
ACCELERATOR_REGION = "us-west-2"
# CloudWatch API, "Dashboard body structure": the grid is 24 wide.
_GRID, _WIDTH, _HEIGHT = 24, 8, 6
Widget = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Series:
    """One line of a graph."""

    namespace: str
    metric: str
    dimensions: Mapping[str, Any]
    statistic: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Section:
    title: str
    widgets: Sequence[Widget]


def graph(
    title: str, region: str, series: Sequence[Series], *, period: int = 60, threshold: float | None = None
) -> Widget:
    """Lines over time, and a horizontal one where an alarm goes off."""
    properties: dict[str, Any] = {
        "title": title,
        "region": region,
        "view": "timeSeries",
        "stacked": False,
        "period": period,
        "metrics": [_line(each) for each in series],
    }
    if threshold is not None:
        properties["annotations"] = {"horizontal": [{"label": "alarm", "value": threshold}]}
    return {"type": "metric", "properties": properties}


def alarm_graphs(region: str, things: Sequence[Monitored]) -> list[Widget]:
    """A graph for each alarm."""
    return [_alarm_graph(region, thing, alarm) for thing in things for alarm in thing.alarms]


def load_balancer_traffic(region: str, load_balancer: Any) -> Widget:
    """Traffic through a region's NLB: the accelerator's share, and that of the failover name."""
    flows = Series(
        namespace="AWS/NetworkELB",
        metric="NewFlowCount",
        dimensions={"LoadBalancer": load_balancer},
        statistic="Sum",
        label="new connections",
    )
    return graph(f"Connections, {region}", region, [flows])


def api_traffic(region: str, api: Any, stage: Any) -> Widget:
    calls = Series(
        namespace="AWS/ApiGateway",
        metric="Count",
        dimensions={"ApiName": api, "Stage": stage},
        statistic="Sum",
        label="calls",
    )
    return graph(f"API calls, {region}", region, [calls])


def accelerator_traffic(accelerator: Any) -> Widget:
    """`accelerator` is the id, the last part of the ARN. Nothing is reported while no traffic flows."""
    series = [
        Series(
            namespace="AWS/GlobalAccelerator",
            metric=metric,
            dimensions={"Accelerator": accelerator},
            statistic="Sum",
            label=label,
        )
        for metric, label in (
            ("NewFlowCount", "new connections"),
            ("ProcessedBytesIn", "bytes in"),
            ("ProcessedBytesOut", "bytes out"),
        )
    ]
    return graph("Accelerator", ACCELERATOR_REGION, series)


def accelerator_id(arn: str) -> str:
    return arn.rpartition("/")[2]


def body(sections: Sequence[Section]) -> dict[str, Any]:
    """Sections below each other, each with a heading and its graphs three in a row."""
    widgets: list[Widget] = []
    top = 0
    for section in sections:
        widgets.append(_heading(section.title) | {"x": 0, "y": top, "width": _GRID, "height": 1})
        top += 1
        for index, widget in enumerate(section.widgets):
            row, column = divmod(index, _GRID // _WIDTH)
            place = {"x": column * _WIDTH, "y": top + row * _HEIGHT, "width": _WIDTH, "height": _HEIGHT}
            widgets.append(widget | place)
        top += -(-len(section.widgets) // (_GRID // _WIDTH)) * _HEIGHT
    return {"widgets": widgets}


def _heading(title: str) -> Widget:
    return {"type": "text", "properties": {"markdown": f"## {title}"}}


def _line(series: Series) -> list[Any]:
    dimensions = [part for name, value in sorted(series.dimensions.items()) for part in (name, value)]
    options = {"stat": series.statistic, "label": series.label}
    return [series.namespace, series.metric, *dimensions, options]


def _alarm_graph(region: str, thing: Monitored, alarm: Alarm) -> Widget:
    series = Series(
        namespace=thing.namespace_of(alarm),
        metric=alarm.metric,
        dimensions=thing.dimensions_of(alarm),
        statistic=alarm.statistic,
        label=alarm.metric,
    )
    title = f"{thing.name}: {alarm.key}, {region}"
    return graph(title, region, [series], period=alarm.period, threshold=thing.threshold(alarm))


@dataclass(frozen=True, kw_only=True)
class DashboardArgs:
    name: str
    sections: Sequence[Section]


class Dashboard(pulumi.ComponentResource):
    """A dashboard of these sections."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: DashboardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:dashboard:Dashboard", name, None, opts)
        dashboard = aws.cloudwatch.Dashboard(
            f"{name}-dashboard",
            dashboard_name=args.name,
            dashboard_body=pulumi.Output.json_dumps(body(args.sections), sort_keys=True),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = dashboard.dashboard_name
        self.register_outputs({"name": self.name})
