"""Runs compared over time: the outcome of each, and its change against the previous run of the same scenario.

A report of an older version lacks fields of a newer one, so only the fields that a comparison needs are
read. A run that was killed has no report; its run log shows how far it came.
"""

import statistics
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drill.report.files import JSON_NAME
from drill.runlog import folders as runs
from drill.runlog import log
from drill.runlog.entries import ApiCall, Measure, RunEnded, RunStarted, VerdictReached
from drill.runlog.log import Recorded, RunLogError

Outcome = Literal["passed", "failed", "inconclusive", "cut off", "unreadable"]


class _Partly(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Traffic(_Partly):
    rto_seconds: float | None = None


class _Limits(_Partly):
    rto_limit_seconds: float | None = None


class _Payments(_Partly):
    acknowledged: int = 0
    lost: int = 0
    duplicated: int = 0


class _Report(_Partly):
    """The fields of a report that are compared."""

    scenario: str
    verdict: Literal["passed", "failed", "inconclusive"]
    first_broken: str | None = None
    started_at: datetime
    finished_at: datetime
    traffic: _Traffic = _Traffic()
    limits: _Limits = _Limits()
    payments: _Payments = _Payments()


class Run(BaseModel):
    """One run in the history. Seconds are of this machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str  # the folder's name
    scenario: str
    outcome: Outcome
    first_broken: str | None = None
    started_at: datetime | None = None
    seconds: float | None = None
    rto_seconds: float | None = None
    rto_limit_seconds: float | None = None
    rto_change_seconds: float | None = None  # against the run of the same scenario before it
    acknowledged: int | None = None
    lost: int | None = None
    duplicated: int | None = None
    measures: dict[str, float | None] = Field(default_factory=dict)  # of the run log, by name
    api_calls: int | None = None
    api_errors: int | None = None
    left_to_undo: int = 0


class Trend(BaseModel):
    """Of one scenario: how often it ran and passed, and how its recovery time moved."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scenario: str
    runs: int
    passed: int
    last: Outcome
    rto_median_seconds: float | None
    rto_worst_seconds: float | None


def history(environment: str, *, root: Path = runs.ROOT) -> list[Run]:
    """Every run of an environment, the oldest first."""
    found: list[Run] = []
    before: dict[str, float] = {}
    for folder in runs.folders(environment, root=root):
        run = _run(folder)
        seconds = run.rto_seconds
        if seconds is not None:
            if run.scenario in before:
                run = run.model_copy(update={"rto_change_seconds": round(seconds - before[run.scenario], 3)})
            before[run.scenario] = seconds
        found.append(run)
    return found


def trends(every: Sequence[Run]) -> list[Trend]:
    """By scenario, in the order in which each ran first."""
    found = []
    for scenario in dict.fromkeys(run.scenario for run in every):
        own = [run for run in every if run.scenario == scenario]
        times = [run.rto_seconds for run in own if run.rto_seconds is not None]
        found.append(
            Trend(
                scenario=scenario,
                runs=len(own),
                passed=sum(run.outcome == "passed" for run in own),
                last=own[-1].outcome,
                rto_median_seconds=round(statistics.median(times), 3) if times else None,
                rto_worst_seconds=max(times, default=None),
            )
        )
    return found


def _run(folder: Path) -> Run:
    scenario = folder.name.partition("-")[2]
    try:
        entries = log.read(folder) if (folder / log.NAME).exists() else []
    except RunLogError as error:
        return Run(run=folder.name, scenario=scenario, outcome="unreadable", first_broken=str(error))
    of_log = _of_log(entries)
    if not (folder / JSON_NAME).exists():
        return _without_report(folder, scenario, entries).model_copy(update=of_log)
    try:
        report = _Report.model_validate_json((folder / JSON_NAME).read_bytes())
    except ValidationError as error:
        reason = f"{JSON_NAME} is no report: {error.error_count()} of its fields"
        return Run(run=folder.name, scenario=scenario, outcome="unreadable", first_broken=reason)
    return Run(
        run=folder.name,
        scenario=report.scenario,
        outcome=report.verdict,
        first_broken=report.first_broken,
        started_at=report.started_at,
        seconds=round((report.finished_at - report.started_at).total_seconds(), 1),
        rto_seconds=report.traffic.rto_seconds,
        rto_limit_seconds=report.limits.rto_limit_seconds,
        acknowledged=report.payments.acknowledged,
        lost=report.payments.lost,
        duplicated=report.payments.duplicated,
    ).model_copy(update=of_log)


def _without_report(folder: Path, scenario: str, entries: Sequence[Recorded]) -> Run:
    verdict = next((each.entry for each in entries if isinstance(each.entry, VerdictReached)), None)
    started = next((each for each in entries if isinstance(each.entry, RunStarted)), None)
    ended = any(isinstance(each.entry, RunEnded) for each in entries)
    return Run(
        run=folder.name,
        scenario=started.entry.scenario if started and isinstance(started.entry, RunStarted) else scenario,
        outcome=verdict.verdict if verdict else "cut off",
        first_broken=verdict.first_broken if verdict else _why_cut_off(entries, ended=ended),
        started_at=started.at if started else None,
    )


def _why_cut_off(entries: Sequence[Recorded], *, ended: bool) -> str:
    if not entries:
        return "it left no run log"
    last = entries[-1]
    return f"it {'ended' if ended else 'was cut off'} without a verdict, last entry {last.number}: {last.entry.kind}"


def _of_log(entries: Sequence[Recorded]) -> dict[str, object]:
    if not entries:
        return {}
    calls = [each.entry for each in entries if isinstance(each.entry, ApiCall)]
    measures = {each.entry.name: each.entry.value for each in entries if isinstance(each.entry, Measure)}
    return {
        "measures": measures,
        "api_calls": len(calls),
        "api_errors": sum(call.outcome != "ok" for call in calls),
        "left_to_undo": len(log.pending_rollbacks(entries)),
    }
