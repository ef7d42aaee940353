"""Alarms of both regions: those that notify our topics."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from drill.preflight.finding import Found, check_each, critical, ok, warning
from shared.deployment import Deployment
from shared.places import Place


@check_each("alarms")
def alarms(deployment: Deployment, place: Place) -> Found:
    """The composite alarm means that a region does not serve; a single alarm may be about something less urgent."""
    region = deployment.region(place)
    metric, composite = _ours(deployment, place)
    if not metric:
        return critical(f"{region}: no alarm notifies our topic", f"deploy stack {place} again")
    if serving := _named(composite, "ALARM"):
        return critical(
            f"{region} is degraded: {', '.join(serving)}", "see the alarms that the composite alarm combines"
        )
    off = _named(metric, "ALARM")
    if off:
        return warning(f"{region}: {', '.join(off)}", "see their descriptions in CloudWatch")
    silenced = [each["AlarmName"] for each in (*metric, *composite) if not each["ActionsEnabled"]]
    if silenced:
        return warning(f"{region}: {', '.join(silenced)} have their actions disabled", "enable them again")
    return ok(f"{region}: none of {len(metric)} is off, {len(_named(metric, 'INSUFFICIENT_DATA'))} without data")


def _named(alarms: list[dict[str, Any]], state: str) -> list[str]:
    return [each["AlarmName"] for each in alarms if each["StateValue"] == state]


def _ours(deployment: Deployment, place: Place) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Metric alarms and composite ones."""
    topic = deployment.cell(place).messaging.topic_arn
    pages = list(
        deployment.client("cloudwatch", place)
        .get_paginator("describe_alarms")
        .paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    )
    every = [
        [each for page in pages for each in page.get(kind, []) if topic in each["AlarmActions"]]
        for kind in ("MetricAlarms", "CompositeAlarms")
    ]
    return every[0], every[1]


# Reading one CloudWatch metric of the last minutes.


_PERIOD = 60


def latest(
    cloudwatch: Any,
    namespace: str,
    metric: str,
    dimensions: Mapping[str, str],
    statistic: str,
    *,
    minutes: int = 15,
    period: int = _PERIOD,
) -> list[float]:
    """The data points of the last `minutes`, newest first; none if the metric is silent. Raises ClientError."""
    now = datetime.now(UTC)
    query = {
        "Id": "latest",
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": metric,
                "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            },
            "Period": period,
            "Stat": statistic,
        },
    }
    answer = cloudwatch.get_metric_data(
        StartTime=now - timedelta(minutes=minutes),
        EndTime=now,
        ScanBy="TimestampDescending",
        MetricDataQueries=[query],
    )
    return [float(value) for result in answer["MetricDataResults"] for value in result["Values"]]
