"""`region-loss`: the primary region is lost under load. Traffic and database fail over by themselves; once the region
is back, a failback returns both to it."""

from drill.actions.faults import lose_region
from drill.model.objectives import Objectives, Service, TakeOver
from drill.model.scenario import Load, Scenario
from drill.scenarios.simulated.steady_state import BEFORE, FAILOVER_ENDS, STEADY, failed_back
from shared.places import Place

REGION_LOSS = Scenario(
    name="region-loss",
    title="Lose the primary region under load, and fail back to it",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        lose_region(Place.PRIMARY),
        FAILOVER_ENDS,
        Load(name="load without the primary region", least_aws_seconds=10),
    ),
    rollback=failed_back(Place.PRIMARY, writer=Place.SECONDARY),
    objectives=Objectives(service=Service(moves_to=Place.SECONDARY), take_over=TakeOver(lost=Place.PRIMARY)),
)
