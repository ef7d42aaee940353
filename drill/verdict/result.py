"""All that a run is judged by. Seconds on this machine, moments since the run started, unless they say AWS."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from drill.load.generator import Load
from drill.model.awaited import Awaited
from drill.model.control_plane_calls import ControlCall
from drill.model.status import Status
from drill.observe.host_usage import Sampler, Usage
from drill.observe.sentinel_log import Decision
from drill.observe.starvation import Starvation
from drill.observe.workflow_runs import WorkflowRun
from drill.verdict.interruptions import Interruption, Recovery
from drill.verdict.limits import Limits
from drill.verdict.model import CheckKind, CheckReport
from drill.verdict.reconcile import Verification
from drill.verdict.writers import PromotionLoss, Written


@dataclass(frozen=True, kw_only=True)
class Measured:
    speed: float
    rto_limit: float
    interruptions: Sequence[Interruption]  # that ended after something was done to the system
    load_ended: float
    failed_before_fault: int
    answered_meanwhile: dict[str, int]  # accepted requests while the fault lasted, by region
    calls_refused: int
    shed: int
    given_up: int
    verification: Verification
    not_restored: str | None
    left_behind: Sequence[str]
    blind: Sequence[str]
    regions: dict[str, str] = field(default_factory=dict)  # by place
    started_at: float = 0.0  # Unix time at which the run started
    fault_at: float = 0.0  # when something was first done to the system
    recovery: Recovery | None = None  # after a storm
    storm_ended: float = 0.0
    unhealthy: Sequence[str] = ()  # regions whose targets were seen unhealthy after the fault
    lost_at: float | None = None  # Unix time of the first loss of a region
    runs: Sequence[WorkflowRun] = ()
    awaited: Sequence[Awaited] = ()
    two_writers: Sequence[str] = ()
    control_calls: Sequence[ControlCall] = ()
    calls_counted: bool = False
    decisions: Sequence[Decision] = ()
    promotion_loss: PromotionLoss | None = None
    promoted_at: float | None = None  # Unix time at which the new writer took writes, by the database
    second_runs: Sequence[dict[str, int]] = ()
    reported_poison: dict[str, str] = field(default_factory=dict)  # what people were told of, and why
    starvation: Starvation = field(default_factory=Starvation)  # of this machine, by its monotonic clock
    started: float = 0.0  # monotonic time at which the run started

    def starved(self, start: float, end: float) -> float:
        """Seconds between two moments of the run in which this machine had no processor for it."""
        return self.starvation.within(self.started + start, self.started + end)

    def starved_share(self, start: float, end: float) -> float:
        return self.starvation.share(self.started + start, self.started + end)

    def moment(self, unix_time: float) -> float:
        """A Unix time as seconds since the run started."""
        return unix_time - self.started_at


# What a run measured and compared, before it is made into a report.


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a run measured and compared."""

    load: Load
    limits: Limits
    status: Status  # the last look
    refused_before: dict[str, dict[str, int]]  # calls refused by region before the run, by what was called
    verification: Verification
    usage: Usage  # while payments were sent
    sampler: Sampler
    not_restored: str | None
    blind: Sequence[str]
    awaited: Sequence[Awaited] = ()
    runs: Sequence[WorkflowRun] = ()
    decisions: Sequence[Decision] = ()
    control_calls: Sequence[ControlCall] = ()
    calls_counted: bool = False
    second_runs: Sequence[dict[str, int]] = ()
    two_writers: Sequence[str] = ()
    written: Sequence[Written] = ()
    promotion_loss: PromotionLoss | None = None
    reported_poison: dict[str, str] = field(default_factory=dict)
    trouble: Sequence[str] = ()  # what could not be read for the report


# How a line of the verdict is made, and what CPU starvation of this machine makes of it.
#
# An objective of time is judged without the time in which this machine had no processor for the run. Where most of what
# was measured was starved, what was measured says nothing of the system: the line is inconclusive.


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
