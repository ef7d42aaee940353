"""Alarms and dashboards."""

from typing import Any

from localaws.provider.context import Context
from localaws.provider.table import ALL, Call, Entry, Name, Tags

_RENAME = {
    "name": "AlarmName",
    "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
}

_CHANGEABLE = (
    "actionsEnabled",
    "alarmActions",
    "alarmDescription",
    "comparisonOperator",
    "datapointsToAlarm",
    "evaluateLowSampleCountPercentiles",
    "evaluationPeriods",
    "extendedStatistic",
    "insufficientDataActions",
    "metricName",
    "namespace",
    "okActions",
    "period",
    "statistic",
    "threshold",
    "thresholdMetricId",
    "treatMissingData",
    "unit",
)


def _pairs(dimensions: dict[str, str] | None) -> list[dict[str, str]] | None:
    return [{"Name": name, "Value": value} for name, value in sorted((dimensions or {}).items())] or None


def _queries(context: Context) -> list[dict[str, Any]] | None:
    """Metric queries; the provider writes a metric's dimensions as a map and its name without the word Metric."""
    found = []
    for query in context.inputs.get("metricQueries") or []:
        asked = {key: value for key, value in query.items() if key != "metric"}
        metric = query.get("metric")
        if metric:
            place = {"Namespace": metric.get("namespace"), "MetricName": metric["metricName"]}
            place["Dimensions"] = _pairs(metric.get("dimensions"))
            words = {"Period": "period", "Stat": "stat", "Unit": "unit"}
            known = {word: metric[key] for word, key in words.items() if metric.get(key) is not None}
            asked["metricStat"] = {"Metric": {key: value for key, value in place.items() if value}, **known}
        found.append(asked)
    return found or None


_PARAMETERS = {"Dimensions": lambda context: _pairs(context.inputs.get("dimensions")), "Metrics": _queries}


_COMPOSITE_CHANGEABLE = (
    "actionsEnabled",
    "alarmActions",
    "alarmDescription",
    "alarmRule",
    "insufficientDataActions",
    "okActions",
)

TYPES = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": Entry(
        service="cloudwatch",
        create=Call("put_metric_alarm", _PARAMETERS, auto=ALL, takes=("dimensions", "metricQueries")),
        update=(
            Call(
                "put_metric_alarm",
                {"AlarmName": "{id}", **_PARAMETERS},
                auto=_CHANGEABLE,
                takes=("dimensions", "metricQueries"),
            ),
        ),
        id="{in.name}",
        delete=(Call("delete_alarms", {"AlarmNames": ["{id}"]}),),
        rename=_RENAME,
        defaults={"treatMissingData": "missing"},
        autoname=Name(limit=255),
        tags=Tags(),
        outputs={"arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{id}"},
    ),
    "aws:cloudwatch/dashboard:Dashboard": Entry(
        service="cloudwatch",
        create=Call("put_dashboard", auto=ALL),
        update=(Call("put_dashboard", {"DashboardName": "{id}", "DashboardBody": "{in.dashboardBody}"}),),
        id="{in.dashboardName}",
        delete=(Call("delete_dashboards", {"DashboardNames": ["{id}"]}),),
        outputs={"dashboardArn": "arn:aws:cloudwatch::{account}:dashboard/{id}"},
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": Entry(
        service="cloudwatch",
        create=Call("put_composite_alarm", auto=ALL),
        update=(Call("put_composite_alarm", {"AlarmName": "{id}"}, auto=_COMPOSITE_CHANGEABLE),),
        id="{in.alarmName}",
        delete=(Call("delete_alarms", {"AlarmNames": ["{id}"]}),),
        tags=Tags(),
        outputs={"arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{id}"},
    ),
}
