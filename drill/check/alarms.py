"""Alarms of both regions: those that tell our topics."""

from typing import Any

from drill.check.finding import Found, check, critical, ok, warning, worst
from shared.deployment import Deployment
from shared.places import Place


@check("alarms")
def alarms(deployment: Deployment) -> Found:
    """The composite alarm says that a region does not serve; a single one may be about something slower."""
    return worst(_alarms(deployment, place) for place in Place)


def _alarms(deployment: Deployment, place: Place) -> Found:
    region = deployment.region(place)
    metric, composite = _ours(deployment, place)
    if not metric:
        return critical(f"{region}: no alarm tells our topic", f"deploy stack {place} again")
    if serving := _named(composite, "ALARM"):
        return critical(
            f"{region} is degraded: {', '.join(serving)}", "look at the alarms that the composite alarm combines"
        )
    off = _named(metric, "ALARM")
    if off:
        return warning(f"{region}: {', '.join(off)}", "see their descriptions in CloudWatch")
    silenced = [each["AlarmName"] for each in (*metric, *composite) if not each["ActionsEnabled"]]
    if silenced:
        return warning(f"{region}: {', '.join(silenced)} tell nobody", "switch their actions on again")
    return ok(f"{region}: none of {len(metric)} is off, {len(_named(metric, 'INSUFFICIENT_DATA'))} without data")


def _named(alarms: list[dict[str, Any]], state: str) -> list[str]:
    return [each["AlarmName"] for each in alarms if each["StateValue"] == state]


def _ours(deployment: Deployment, place: Place) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Metric alarms and composite ones."""
    topic = deployment.cell(place).topic_arn
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
