"""`loss-after-failover`: the region that took over is lost before the other one, which is back and fenced, has returned
to service. An operator forces the failover to the fenced region."""

from drill.actions.faults import lose_region, recover_region
from drill.actions.regions import StartFailover
from drill.model.objectives import Objectives, Service, TakeOver
from drill.model.scenario import Load, Scenario, WaitFor
from drill.probes.recovery import DatabasesFollow, NothingRuns, Runs
from drill.probes.traffic import ReplicationKeepsUp
from drill.scenarios.simulated.hours import (
    FAILOVER_ENDS_SOME_TIME,
    RATE,
    SPEED,
    failed_back_some_time,
    patient,
)
from drill.scenarios.simulated.steady_state import BEFORE, STEADY
from shared.places import Place

LOSS_AFTER_FAILOVER = Scenario(
    name="loss-after-failover",
    title="Lose the secondary region after it took over, while the primary region is still fenced",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        lose_region(Place.PRIMARY),
        FAILOVER_ENDS_SOME_TIME,
        recover_region(Place.PRIMARY),
        WaitFor(
            name="the primary region catches up, fenced",
            until=(ReplicationKeepsUp(), DatabasesFollow(Place.SECONDARY), NothingRuns()),
            within_aws_seconds=300,
            within_seconds=60,
        ),
        lose_region(Place.SECONDARY),
        Load(name="load on the fenced region", least_aws_seconds=60),
        StartFailover(Place.SECONDARY, forced=True),
        WaitFor(
            # The fenced region's ledger waits for 325 s, until the lost one's has certainly stopped.
            name="the forced failover ends",
            until=(Runs("failover", at_least=2),),
            within_aws_seconds=900,
            within_seconds=120,
        ),
        patient(Load(name="load without the secondary region", least_aws_seconds=10)),
    ),
    rollback=failed_back_some_time(Place.SECONDARY, writer=Place.PRIMARY),
    objectives=Objectives(
        service=Service(moves_to=Place.SECONDARY),
        take_over=TakeOver(lost=Place.PRIMARY, failovers=2, requested=1),
        timed=False,
    ),
    speed=SPEED,
    rate=RATE,
)
