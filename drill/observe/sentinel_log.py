"""Decisions of the sentinels and their reasons, read from their CloudWatch logs."""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from drill.model.errors import ProbeError
from shared.deployment import Deployment
from shared.places import Place

_MESSAGE = "decision"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One log line, or several equal ones in a row. `at` is Unix time."""

    at: float
    region: str  # whose sentinel
    verdict: str  # act or hold
    reason: str
    times: int = 1


def read_decisions(deployment: Deployment, place: Place, *, since: float) -> list[Decision]:
    """The decisions of a region's sentinel since then (Unix time), in order. Raises ProbeError.

    Lambda's lines arrive when an invocation has ended, so one that is under way is not in it yet.
    """
    group = f"/aws/lambda/{deployment.cell(place).compute.functions['sentinel'].name}"
    try:
        pages = (
            deployment.client("logs", place)
            .get_paginator("filter_log_events")
            .paginate(logGroupName=group, startTime=int(since * 1000))
        )
        messages = [event["message"] for page in pages for event in page["events"]]
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] == "ResourceNotFoundException":
            return []  # it has not logged anything yet
        raise ProbeError(f"the log of the sentinel in {deployment.region(place)} cannot be read: {error}") from error
    found = (_decision(message, deployment.region(place)) for message in messages)
    return sorted((each for each in found if each and each.at >= since), key=lambda each: each.at)


def wait_for_decisions(
    deployment: Deployment, place: Place, *, since: float, until: float, timeout: float
) -> list[Decision]:
    """The decisions once the log reaches `until`, or what there is after `timeout` seconds. Raises ProbeError."""
    end = time.monotonic() + timeout
    while True:
        found = read_decisions(deployment, place, since=since)
        if (found and found[-1].at >= until) or time.monotonic() > end:
            return found
        time.sleep(0.3)


def _decision(message: str, region: str) -> Decision | None:
    """None for any other line."""
    begin = message.find("{")
    try:
        line: Any = json.loads(message[begin:]) if begin >= 0 else None
    except ValueError:
        return None
    if not isinstance(line, dict) or line.get("message") != _MESSAGE or "verdict" not in line:
        return None
    return Decision(at=_moment(str(line["timestamp"])), region=region, verdict=line["verdict"], reason=line["reason"])


def _moment(text: str) -> float:
    """Powertools' own form: `2026-01-02 03:04:05,678+0000`."""
    return datetime.fromisoformat(text.replace(",", ".")).timestamp()


def condensed(decisions: Iterable[Decision]) -> Sequence[Decision]:
    """Equal lines in a row as one."""
    found: list[Decision] = []
    for each in decisions:
        last = found[-1] if found else None
        if last and (last.region, last.verdict, last.reason) == (each.region, each.verdict, each.reason):
            found[-1] = replace(last, times=last.times + each.times)
        else:
            found.append(each)
    return found
