"""What the sentinels decided, and why, by their own log lines."""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from drill.model.errors import ProbeError
from drill.model.target import Site
from shared.places import Place

_MESSAGE = "decision"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One log line, or several in a row that say the same. `at` is Unix time."""

    at: float
    region: str  # whose sentinel
    verdict: str  # act or hold
    reason: str
    times: int = 1


def read_decisions(site: Site, place: Place, *, since: float) -> list[Decision]:
    """The decisions of a region's sentinel since then (Unix time), in order. Raises ProbeError.

    Lambda's lines arrive when a run of the function has ended; so a run under way is not in it yet.
    """
    group = f"/aws/lambda/{site.sentinels[place]}"
    try:
        pages = (
            site.client("logs", place)
            .get_paginator("filter_log_events")
            .paginate(logGroupName=group, startTime=int(since * 1000))
        )
        messages = [event["message"] for page in pages for event in page["events"]]
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] == "ResourceNotFoundException":
            return []  # it has not said anything yet
        raise ProbeError(f"the log of the sentinel in {site.region(place)} cannot be read: {error}") from error
    found = (_decision(message, site.region(place)) for message in messages)
    return sorted((each for each in found if each and each.at >= since), key=lambda each: each.at)


def wait_for_decisions(site: Site, place: Place, *, since: float, until: float, patience: float) -> list[Decision]:
    """The decisions once the log reaches `until`, or what there is after `patience` seconds. Raises ProbeError."""
    end = time.monotonic() + patience
    while True:
        found = read_decisions(site, place, since=since)
        if (found and found[-1].at >= until) or time.monotonic() > end:
            return found
        time.sleep(0.3)


def _decision(message: str, region: str) -> Decision | None:
    """None for any other line."""
    begin = message.find("{")
    try:
        said: Any = json.loads(message[begin:]) if begin >= 0 else None
    except ValueError:
        return None
    if not isinstance(said, dict) or said.get("message") != _MESSAGE or "verdict" not in said:
        return None
    return Decision(at=_moment(str(said["timestamp"])), region=region, verdict=said["verdict"], reason=said["reason"])


def _moment(text: str) -> float:
    """Powertools' own form: `2026-01-02 03:04:05,678+0000`."""
    return datetime.fromisoformat(text.replace(",", ".")).timestamp()


def condensed(decisions: Iterable[Decision]) -> Sequence[Decision]:
    """Lines in a row that say the same, as one."""
    found: list[Decision] = []
    for each in decisions:
        last = found[-1] if found else None
        if last and (last.region, last.verdict, last.reason) == (each.region, each.verdict, each.reason):
            found[-1] = Decision(
                at=last.at, region=last.region, verdict=last.verdict, reason=last.reason, times=last.times + each.times
            )
        else:
            found.append(each)
    return found
