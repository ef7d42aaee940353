"""`region-loss-secondary`: the region without traffic, whose database member is a reader, is lost. Clients notice
nothing; the other region fences it, so that it cannot come back with an old opinion, and promotes nothing."""

from drill.actions.faults import lose_region
from drill.model.objectives import Objectives, Service, TakeOver
from drill.model.scenario import Load, Scenario
from drill.scenarios.simulated.steady_state import BEFORE, FAILOVER_ENDS, STEADY, failed_back
from shared.places import Place

REGION_LOSS_SECONDARY = Scenario(
    name="region-loss-secondary",
    title="Lose the secondary region, which clients must not notice",
    lost=Place.SECONDARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        lose_region(Place.SECONDARY),
        FAILOVER_ENDS,
        Load(name="load without the secondary region", least_aws_seconds=10),
    ),
    rollback=failed_back(Place.SECONDARY, writer=Place.PRIMARY),
    objectives=Objectives(
        service=Service(interrupted=False),
        take_over=TakeOver(lost=Place.SECONDARY, promotes=False),
    ),
)
