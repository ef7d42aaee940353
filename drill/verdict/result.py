"""The measurements of one run. The run fills them in; the verdict and the report read them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from drill.model.attempts import Record
from drill.model.expectation import HealthSettings
from drill.model.objectives import Objectives, TakeOver
from drill.model.status import ControlCall, Row, Status
from drill.observe.host_usage import Usage
from drill.observe.progress import Progress
from drill.observe.sentinel_log import Decision
from drill.observe.starvation import Starvation
from drill.observe.workflow_runs import WorkflowRun
from drill.verdict.interruptions import Interruption, Recovery, SteadyRun, interruptions, recovery
from drill.verdict.reconcile import Verification
from drill.verdict.writers import PromotionLoss, Written
from shared.places import Place

# A region may go just after a probe that passed, and a probe that hangs fails only at its time limit, which is an
# interval at most: detection takes up to twice the time of the failing probes.
DETECTION_FACTOR = 2
GRACE_AWS_SECONDS = 2.0
"""On top of failing probes: the time to act on them, and a client's own request."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Time limits for a failover of traffic, from the health checks as they are deployed, so that a slower health check
    does not pass for a quick failover."""

    health_checks: Sequence[HealthSettings]
    speed: float
    nlb_tail_aws_seconds: float = 0.0  # of the embedded AWS

    @property
    def rto_limit_aws_seconds(self) -> float:
        detection = DETECTION_FACTOR * max(check.until_unhealthy for check in self.health_checks)
        return detection + self.nlb_tail_aws_seconds + GRACE_AWS_SECONDS

    @property
    def rto_limit_seconds(self) -> float:
        """On this machine."""
        return self.rto_limit_aws_seconds / self.speed


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """The duration of something that the system must do by itself. Seconds on this machine."""

    name: str
    limit: float
    seconds: float
    met: bool
    evidence: str
    at: float = 0.0  # since the run started


@dataclass(kw_only=True)
class RunResult:
    """Everything that a run is judged by. Seconds are this machine's and moments count from the start of the run,
    unless a name or comment gives AWS seconds or Unix time.

    The report takes fields over by their names (`drill.report.model.Report`).
    """

    speed: float
    rate: float = 1.0  # payments a second
    regions: Mapping[Place, str] = field(default_factory=dict)
    started: float = 0.0  # monotonic time of the start
    started_at: float = 0.0  # Unix time of the start
    limits: Limits
    deploy_seconds: Mapping[str, float] = field(default_factory=dict)  # by stack
    known_limits: Sequence[str] = ()

    # Of the clients.
    record: Record = field(default_factory=Record)
    load_started: float = 0.0
    load_stopped: float | None = None
    # Derived by `conclude`, once the load has ended.
    load_ended: float = 0.0  # the last answer
    fault_at: float = 0.0  # when something was first done to the system
    interruptions: Sequence[Interruption] = ()  # that ended after that
    failed_before_fault: int = 0
    answered_meanwhile: Mapping[str, int] = field(default_factory=dict)  # accepted during the faults, by region
    recovery: Recovery | None = None  # after a storm
    rejected_flood: int = 0  # requests of a flood that were answered with a server error
    unhealthy: Sequence[str] = ()  # regions whose targets were observed unhealthy after the fault
    lost_at: float | None = None  # Unix time of the first loss of a region, or of what it needs to serve
    calls_refused_by: Mapping[str, int] = field(default_factory=dict)  # by that region, and by what was called
    promoted_at: float | None = None  # Unix time at which the new writer took writes, by the database

    # Of the system.
    first_status: Status = field(default_factory=Status)  # before anything was changed
    status: Status = field(default_factory=Status)  # the last one
    verification: Verification = field(default_factory=Verification)
    awaited: list[Awaited] = field(default_factory=list)
    runs: Sequence[WorkflowRun] = ()
    decisions: Sequence[Decision] = ()
    control_calls: list[ControlCall] = field(default_factory=list)  # while a region was down: to its plane or an edge's
    calls_counted: bool = False
    planned_second_runs: int = 0
    second_runs: list[dict[str, list[str]]] = field(default_factory=list)  # changes by stack
    ledger_snapshots: dict[str, dict[str, Row]] = field(default_factory=dict)  # by region
    two_writers: Sequence[str] = ()
    written: Sequence[Written] = ()
    promotion_loss: PromotionLoss | None = None
    reported_poison: Mapping[str, str] = field(default_factory=dict)  # dead letters' reasons, by payment id
    unobserved: list[str] = field(default_factory=list)  # observations that failed
    trouble: list[str] = field(default_factory=list)  # what could not be read for the comparison
    not_restored: str | None = None  # the steady state that the rollback did not bring back, with the evidence
    left_behind: Sequence[str] = ()  # processes

    # Of this machine.
    usage: Usage = field(default_factory=Usage)  # while payments were sent
    starvation: Starvation = field(default_factory=Starvation)  # by its monotonic clock
    peak_memory_bytes: int = 0
    peak_processes: int = 0

    @property
    def shed(self) -> int:
        return self.record.shed

    @property
    def calls_refused(self) -> int:
        """Calls that the lost region refused."""
        return sum(self.calls_refused_by.values())

    @property
    def given_up(self) -> int:
        return len(self.record.given_up)

    def starved(self, start: float, end: float) -> float:
        """Seconds between two moments of the run in which this machine had no processor for it."""
        return self.starvation.within(self.started + start, self.started + end)

    def starved_share(self, start: float, end: float) -> float:
        return self.starvation.share(self.started + start, self.started + end)

    def moment(self, unix_time: float) -> float:
        """A Unix time as seconds since the run started."""
        return unix_time - self.started_at

    @property
    def took_over(self) -> WorkflowRun | None:
        """The failover, if one went on."""
        return next((run for run in self.runs if run.machine == "failover" and run.went_on), None)

    def conclude(self, progress: Progress, objectives: Objectives, first_step: str) -> None:
        """Derive from the record and the progress what the verdict needs. `first_step` is the scenario's."""
        disturbed, loss, attempts = progress.disturbed, progress.loss, self.record.attempts
        assert disturbed is not None, "a run in which nothing was done has nothing to report"
        self.load_ended = max((attempt.ended for attempt in attempts), default=progress.now())
        self.fault_at = disturbed.at
        after = [attempt for attempt in attempts if attempt.ended >= self.fault_at]
        self.interruptions = interruptions(after, SteadyRun.of(self.rate))
        # Until there was a steady state, functions were still starting.
        steady = self.steady_at(progress, first_step)
        self.failed_before_fault = sum(
            not each.ok and steady <= each.sent and each.ended < self.fault_at for each in attempts
        )
        periods = [(fault.at, fault.ended_at or self.load_ended) for fault in progress.disturbances]
        self.answered_meanwhile = Counter(
            each.region or "unknown"
            for each in after
            if each.ok and any(start <= each.ended <= end for start, end in periods)
        )
        if objectives.overload is not None and disturbed.ended_at is not None:
            intents, share = self.record.intents, objectives.overload.share
            self.recovery = recovery(intents, since=disturbed.ended_at, until=self.load_ended, share=share)
        self.unhealthy = sorted({seen.region for seen in progress.seen_unhealthy(self.fault_at)})
        if loss is not None and loss.region is not None:
            self.lost_at = progress.started_at + loss.at
            before = self.first_status.refused(loss.region)
            refused = {what: n - before.get(what, 0) for what, n in self.status.refused(loss.region).items()}
            self.calls_refused_by = {what: count for what, count in refused.items() if count}
        elif isinstance(objectives.take_over, TakeOver):
            self.lost_at = progress.started_at + disturbed.at  # for its clients, since it cannot serve them
        self.promoted_at = promoted_at(self)

    @staticmethod
    def steady_at(progress: Progress, first_step: str) -> float:
        """The time at which the steady state was reached and the scenario's first step began."""
        return next(stage.at for stage in progress.stages if stage.name == first_step)


def promoted_at(result: RunResult) -> float | None:
    """The Unix time at which the failover's new writer accepted writes, by the database itself."""
    run = result.took_over
    requested = run.moment("change") if run else None
    if run is None or requested is None:
        return None
    begun = [
        interval.since
        for member in result.status.databases
        if member.region == run.region
        for interval in member.writer_intervals
        if interval.since >= requested
    ]
    return min(begun, default=None)
