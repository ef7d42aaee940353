"""How a line of the verdict is made, and what CPU starvation of this machine makes of it.

An objective of time is judged without the time in which this machine had no processor for the run. Where most of what
was measured was starved, what was measured says nothing of the system: the line is inconclusive.
"""

from drill.measured import Measured
from drill.report.model import CheckKind, CheckReport

MOST_STARVED = 0.5
"""Share of a phase. Beyond it even health checks and witnesses are late, and not only what they are timed by."""

LITTLE_STARVED = 0.2
"""Share of a phase. Below it, this machine is no explanation for something that failed."""

Span = tuple[float, float]  # seconds since the run started


def objective(name: str, expected: str, found: str, *, met: bool) -> CheckReport:
    return check("objective", name, expected, found, met=met)


def check(
    kind: CheckKind, name: str, expected: str, found: str, *, met: bool, inconclusive: bool = False
) -> CheckReport:
    """`inconclusive` if what is not met says that the run proves nothing, rather than that the system failed."""
    return CheckReport(
        name=name, kind=kind, expected=expected, measured=found, met=met, inconclusive=inconclusive and not met
    )


def timed(
    measured: Measured,
    name: str,
    expected: str,
    found: str,
    *,
    seconds: float | None,
    limit: float,
    span: Span,
    besides: Span | None = None,
) -> CheckReport:
    """An objective of time: `seconds` of this machine during `span` may be `limit` at the most, starvation excluded.

    `seconds` is None for what did not happen at all. `besides` is a part of `span` that does not count.
    """
    length, starved = span[1] - span[0], measured.starved(*span)
    if besides is not None:
        length, starved = length - (besides[1] - besides[0]), starved - measured.starved(*besides)
    share = starved / length if length > 0 else 0.0
    if seconds is not None and round(seconds, 3) <= round(limit, 3):
        return objective(name, expected, found, met=True)
    said = f"{found}; this machine was starved of CPU for {starved:.1f} s of it ({share:.0%})"
    if share > MOST_STARVED:
        return as_inconclusive(objective(name, expected, said, met=False))
    met = seconds is not None and round(seconds - starved, 3) <= round(limit, 3)
    return objective(name, expected, said if met or share > LITTLE_STARVED else found, met=met)


def unless_starved(measured: Measured, line: CheckReport, span: Span) -> CheckReport:
    """`line`, inconclusive if it is not met and this machine was starved during `span`."""
    share = measured.starved_share(*span)
    if line.met or share <= LITTLE_STARVED:
        return line
    said = f"{line.measured}; this machine was starved of CPU for {share:.0%} of that time"
    return as_inconclusive(line.model_copy(update={"measured": said}))


def as_inconclusive(line: CheckReport) -> CheckReport:
    return line.model_copy(update={"inconclusive": True})
