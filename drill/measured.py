"""All that a run is judged by. Seconds on this machine, moments since the run started, unless they say AWS."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from drill.control_calls import ControlCall
from drill.decisions import Decision
from drill.measures import Interruption, Recovery
from drill.runner import Awaited
from drill.starvation import Starvation
from drill.verify import Verification
from drill.workflow_runs import WorkflowRun
from drill.writers import PromotionLoss


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
