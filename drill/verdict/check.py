"""A check of the verdict, and how CPU starvation of this machine affects it.

A check of time is judged without the time in which this machine had no processor for the run. Where most of a phase was
starved, its measurement proves nothing about the system: the check is inconclusive.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from drill.verdict.result import RunResult

Verdict = Literal["passed", "failed", "inconclusive"]
CheckKind = Literal["objective", "plan", "rollback"]

MOST_STARVED = 0.5
"""Share of a phase. Beyond it even health checks and witnesses are late, and not only the clients."""

LITTLE_STARVED = 0.2
"""Share of a phase. Below it, starvation does not explain a failure."""

Span = tuple[float, float]  # seconds since the run started


class StrictModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


class CheckReport(StrictModel):
    """One expectation. One that is missed fails the run, unless missing it is `inconclusive`."""

    name: str
    kind: CheckKind
    expected: str
    measured: str
    met: bool
    inconclusive: bool = False  # not met, which proves nothing about the system; most often, this machine was too slow
    is_timed: bool = False  # by this machine's clock, which leaves the system more time at a lower speed


def objective(name: str, expected: str, measured: str, *, met: bool) -> CheckReport:
    return check("objective", name, expected, measured, met=met)


def check(
    kind: CheckKind, name: str, expected: str, measured: str, *, met: bool, inconclusive: bool = False
) -> CheckReport:
    """`inconclusive`: if it is not met, the run proves nothing, rather than that the system failed."""
    return CheckReport(
        name=name, kind=kind, expected=expected, measured=measured, met=met, inconclusive=inconclusive and not met
    )


def timed(
    result: RunResult,
    name: str,
    expected: str,
    measured: str,
    *,
    seconds: float | None,
    limit: float,
    span: Span,
    besides: Span | None = None,
) -> CheckReport:
    """An objective of time: `seconds` of this machine during `span` may be `limit` at the most, starvation excluded.

    `seconds` is None for what did not happen at all. `besides` is a part of `span` that does not count.
    """
    length, starved = span[1] - span[0], result.starved(*span)
    if besides is not None:
        length, starved = length - (besides[1] - besides[0]), starved - result.starved(*besides)
    share = starved / length if length > 0 else 0.0
    found = objective(name, expected, measured, met=seconds is not None and round(seconds, 3) <= round(limit, 3))
    found = as_timed(found)
    if found.met:
        return found
    excused = f"{measured}; this machine was starved of CPU for {starved:.1f} s of it ({share:.0%})"
    if share > MOST_STARVED:
        return as_inconclusive(found.model_copy(update={"measured": excused}))
    met = seconds is not None and round(seconds - starved, 3) <= round(limit, 3)
    shown = excused if met or share > LITTLE_STARVED else measured
    return found.model_copy(update={"measured": shown, "met": met})


def unless_starved(result: RunResult, found: CheckReport, span: Span) -> CheckReport:
    """`found`, inconclusive if it is not met and this machine was starved during `span`."""
    share = result.starved_share(*span)
    if found.met or share <= LITTLE_STARVED:
        return found
    measured = f"{found.measured}; this machine was starved of CPU for {share:.0%} of that time"
    return as_inconclusive(found.model_copy(update={"measured": measured}))


def as_timed(found: CheckReport) -> CheckReport:
    return found.model_copy(update={"is_timed": True})


def as_inconclusive(found: CheckReport) -> CheckReport:
    return found.model_copy(update={"inconclusive": True})
