"""`loss-during-failback`: the primary region is lost again during the switchover of the failback to it."""

from drill.actions.faults import lose_region, recover_region
from drill.actions.regions import StartFailback
from drill.model.objectives import Objectives, Service, TakeOver
from drill.model.scenario import Load, Scenario, WaitFor
from drill.probes.recovery import DatabasesFollow, DatabaseSwitches, NothingRuns, Runs
from drill.probes.traffic import ReplicationKeepsUp
from drill.scenarios.simulated.steady_state import BEFORE, FAILOVER_ENDS, STEADY, failed_back
from shared.places import Place

LOSS_DURING_FAILBACK = Scenario(
    name="loss-during-failback",
    title="Lose the primary region again while it is brought back",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        lose_region(Place.PRIMARY),
        FAILOVER_ENDS,
        recover_region(Place.PRIMARY),
        WaitFor(
            on_timeout="rollback",
            name="the primary region catches up for the first time",
            until=(ReplicationKeepsUp(), DatabasesFollow(Place.SECONDARY), NothingRuns()),
            within_aws_seconds=180,
            within_seconds=30,
        ),
        StartFailback(Place.PRIMARY),
        WaitFor(
            name="the writer's switchover has begun",
            until=(DatabaseSwitches(),),
            within_aws_seconds=60,
            within_seconds=10,
        ),
        lose_region(Place.PRIMARY),
        WaitFor(
            # It must end, so that operators are notified.
            name="the failback fails",
            until=(Runs("failback"),),
            within_aws_seconds=180,
            within_seconds=20,
        ),
        Load(name="load without the primary region", least_aws_seconds=10),
    ),
    rollback=failed_back(Place.PRIMARY, writer=Place.SECONDARY),
    objectives=Objectives(
        service=Service(moves_to=Place.SECONDARY),
        take_over=TakeOver(lost=Place.PRIMARY),
    ),
)
