"""The report of one run, as `report.json` holds it. Fields are added over time; none is renamed or removed.

Times: `started_at` and `finished_at` are ISO 8601 in UTC. Every other time is seconds on this machine: a moment (`at`,
`healed_at`, `start`) since `started_at`, anything else a length. `speed` AWS seconds pass in one of them.

A field takes its value from the attribute of the same name of a run's result or settings, unless
`drill.report.build` computes it.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from drill.verdict.check import CheckReport, StrictModel, Verdict


def rounded(value: float) -> float:
    """To the thousandth: no measurement here is finer."""
    return round(value, 3)


Rounded = Annotated[float, AfterValidator(rounded)]


class OutageReport(StrictModel):
    region: str
    kind: str
    at: Rounded
    healed_at: Rounded | None
    calls_refused: int
    calls_refused_by: dict[str, int]  # by what was called


class FaultReport(StrictModel):
    """Something that was done to the system; `ended_at` is None if it was not rolled back."""

    name: str
    kind: str
    region: str | None
    at: Rounded
    ended_at: Rounded | None


class MomentReport(StrictModel):
    """Something that happened by itself. `aws_seconds` is counted from the first loss."""

    name: str
    at: Rounded
    aws_seconds: Rounded
    limit_aws_seconds: Rounded | None = None


class LinkReport(StrictModel):
    """A link of the chain from the loss to the drained ledger. None: no budget, or not measured by the run."""

    name: str
    budget_aws_seconds: Rounded | None
    aws_seconds: Rounded | None
    source: str  # of the budget, with ids of docs/references.md in square brackets


class WorkflowStepReport(StrictModel):
    name: str
    at: Rounded
    seconds: Rounded


class WorkflowReport(StrictModel):
    """One run of a state machine."""

    machine: str
    region: str
    name: str
    status: str
    at: Rounded
    seconds: Rounded | None
    held_because: str | None  # the reason why the preconditions were not met; None if they were
    failure: str
    steps: list[WorkflowStepReport]
    writer_change: str = ""  # how it moved the writer; empty if it did not get so far
    aws_seconds: dict[str, Rounded]  # what the run measured of itself


class WriterReport(StrictModel):
    """A time in which a region's database took writes."""

    region: str
    at: Rounded
    until: Rounded | None


class LagReport(StrictModel):
    at: Rounded
    aws_seconds: Rounded


class WrittenReport(StrictModel):
    """Rows of this run that one region posted under one epoch of the writer's record."""

    region: str
    epoch: int
    rows: int


class PromotionLossReport(StrictModel):
    had: int  # rows of the lost writer
    lost: int  # that the promoted member lacked
    brought_back: int  # by the replay


class DatabaseReport(StrictModel):
    writers: list[WriterReport]
    lags: list[LagReport]  # the reader's, thinned out
    written: list[WrittenReport]
    promotion_loss: PromotionLossReport | None
    two_writers: list[str]  # evidence; empty if never two regions wrote at once


class ControlCallsReport(StrictModel):
    """Control-plane calls of our own functions and workflows while a region was away: to that region's, to Route 53's
    and to Global Accelerator's."""

    counted: bool
    total: int
    calls: list[str]


class DecisionReport(StrictModel):
    """A sentinel's decision, by its own log."""

    region: str
    at: Rounded
    verdict: str
    reason: str
    times: int


class InterruptionReport(StrictModel):
    """From sending the first request that failed to the first answer to a steady run of good ones."""

    start: Rounded
    seconds: Rounded | None  # None: service did not come back


class TimelineBin(StrictModel):
    """Requests sent in one slice of the time line."""

    start: Rounded
    ok: dict[str, int]  # by region that answered
    failed: dict[str, int]  # by outcome


class Timeline(StrictModel):
    start: Rounded
    end: Rounded
    bin_seconds: Rounded
    bins: list[TimelineBin]


class TrafficReport(StrictModel):
    """Requests, retries included."""

    sent: int
    ok: int
    failed: int
    rto_seconds: Rounded | None  # 0 if nothing failed, None if service did not come back
    rto_aws_seconds: Rounded | None
    longest_gap_seconds: Rounded
    p50_ms: Rounded | None  # of requests that were accepted
    p99_ms: Rounded | None
    by_region: dict[str, int]  # accepted requests, by region that answered
    failed_by_outcome: dict[str, int]
    failed_before_outage: int
    interruptions: list[InterruptionReport]
    shed: int  # arrivals that were not sent, since too many requests were under way
    latest_arrival_seconds: Rounded  # by which a payment left later than its schedule, at worst
    offered_per_second: Rounded
    accepted_per_second: Rounded  # payments, over the whole time of load
    steady_accepted_per_second: Rounded  # payments, between the steady state and the outage: the goodput
    steady_retries_per_second: Rounded = 0.0  # requests for payments that were sent before, in the same time
    retries: int = 0  # in all
    timeline: Timeline


class PaymentsReport(StrictModel):
    """Payments, however often each was sent."""

    acknowledged: int
    in_journal: int  # acknowledged ones that both regions hold as the client sent them
    lost: int  # acknowledged ones that a region lacks or holds differently
    duplicated: int  # one intent under several ids, or one id that differs between regions
    offered: int
    given_up: int  # clients that never got an answer
    in_journal_by_region: dict[str, int]
    unconfirmed: int  # in the journal, but not acknowledged to the client: allowed
    by_durability: dict[str, int]
    evidence: list[str]  # of what was lost, duplicated or given up: the first of each
    in_ledger_by_region: dict[str, int] = Field(default_factory=dict)  # acknowledged ones with a row as sent
    missing_in_ledger: int = 0  # of the journal, acknowledged or not
    unannounced: int = 0  # rows of the ledger without an event
    journals_differ: int = 0
    ledgers_differ: int = 0
    synthetic: int = 0  # made by recoveries to prove themselves


class StepReport(StrictModel):
    name: str
    region: str | None
    at: Rounded
    seconds: Rounded
    outcome: Literal["done", "failed"]
    detail: str


class HealthCheckReport(StrictModel):
    """The deployed health check of a region's load balancer, in AWS seconds."""

    region: str
    interval_aws_seconds: Rounded
    unhealthy_threshold: int
    healthy_threshold: int


class LimitsReport(StrictModel):
    rto_limit_seconds: Rounded
    rto_limit_aws_seconds: Rounded
    health_checks: list[HealthCheckReport]
    nlb_tail_aws_seconds: Rounded = 0.0


class ResourcesReport(StrictModel):
    cores: int
    machine_cores_busy: Rounded
    processor_share: dict[str, Rounded]  # in cores, of the drill and of the embedded AWS, under load
    starved_seconds: Rounded = 0.0  # in which a process of the run was ready and no processor was free
    starved_share: Rounded = 0.0  # of the run
    peak_memory_bytes: int
    peak_processes: int


class Report(StrictModel):
    scenario: str
    title: str
    environment: str
    verdict: Verdict
    first_broken: str | None
    started_at: AwareDatetime
    finished_at: AwareDatetime
    speed: float
    rate: float
    duration: Rounded
    seed: int
    engine: str = "localaws"  # that deployed the stacks
    why: str = ""  # this rate and speed were chosen: the measurements of this machine
    first_try: str = ""  # what an earlier run of the same rehearsal, at twice the speed, missed
    regions: dict[str, str]  # by place
    outage: OutageReport | None
    traffic: TrafficReport
    payments: PaymentsReport
    steps: list[StepReport]
    limits: LimitsReport
    checks: list[CheckReport]
    bounded_by: str
    resources: ResourcesReport
    deploy_seconds: dict[str, Rounded]  # by stack
    not_exercised: list[str]
    known_limits: list[str]
    faults: list[FaultReport] = Field(default_factory=list)
    moments: list[MomentReport] = Field(default_factory=list)
    links: list[LinkReport] = Field(default_factory=list)
    workflows: list[WorkflowReport] = Field(default_factory=list)
    database: DatabaseReport | None = None
    control_calls: ControlCallsReport | None = None
    decisions: list[DecisionReport] = Field(default_factory=list)
    second_runs: list[dict[str, list[str]]] = Field(default_factory=list)  # changes by stack
    trouble: list[str] = Field(default_factory=list)  # what could not be read
