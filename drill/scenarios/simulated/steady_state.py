"""The steady state that every scenario starts from and returns to, and steps that several share."""

from drill.actions.faults import recover_region
from drill.actions.regions import StartFailback
from drill.model.expectation import Expectation
from drill.model.scenario import Load, SecondRun, Step, WaitFor
from drill.probes.recovery import DatabasesFollow, LedgerKeepsUp, NothingRuns, Runs
from drill.probes.traffic import AcceptedAsOffered, ReplicationKeepsUp, ServedBy, TargetsHealthy
from shared.places import Place

AT_REST: tuple[Expectation, ...] = (
    AcceptedAsOffered(),
    TargetsHealthy(),
    ReplicationKeepsUp(),
    DatabasesFollow(),
    LedgerKeepsUp(),
    NothingRuns(),
)
"""Wherever clients go."""

STEADY = WaitFor(
    on_timeout="rollback",
    name="steady state",
    until=(*AT_REST, ServedBy(Place.PRIMARY)),
    within_aws_seconds=120,
    within_seconds=30,
)
BEFORE = Load(name="load on both regions", least_aws_seconds=15)
FAILOVER_ENDS = WaitFor(
    # Health checks and witness 45 s, promotion about 60 s, replay and proof: three minutes are twice that.
    name="the failover ends",
    until=(Runs("failover"),),
    within_aws_seconds=180,
    within_seconds=20,
)


def failed_back(place: Place, *, writer: Place, recover: Step | None = None) -> tuple[Step, ...]:
    """The rollback of a failover: end the outage, let the region catch up, fail back to it. `writer` is the writer's
    region until then, `recover` ends an outage that was not the region's.

    What either of them moves, the stack programs leave as it is.
    """
    return (
        recover or recover_region(place),
        WaitFor(
            on_timeout="rollback",
            name=f"the {place} region catches up, fenced",
            until=(ReplicationKeepsUp(), DatabasesFollow(writer), NothingRuns()),
            within_aws_seconds=180,
            within_seconds=30,
        ),
        SecondRun(name="run the stack programs again, failed over"),
        StartFailback(place),
        WaitFor(
            # A switchover takes about 30 s, and the witness as long again to call the region up.
            name="the failback ends",
            until=(Runs("failback"),),
            within_aws_seconds=180,
            within_seconds=20,
        ),
        WaitFor(
            on_timeout="rollback",
            name=f"the {place} region takes part again",
            until=(TargetsHealthy(), ReplicationKeepsUp(), DatabasesFollow()),
            within_aws_seconds=120,
            within_seconds=20,
        ),
        Load(name="load after its return", least_aws_seconds=15),
        SecondRun(name="run the stack programs again, failed back"),
    )
