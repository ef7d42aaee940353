"""`double-trigger`: the failover is started twice at the same moment, as the sentinel is about to. One runs."""

from drill.actions.faults import lose_region
from drill.actions.regions import StartFailover
from drill.model.objectives import Objectives, Service, TakeOver
from drill.model.scenario import Load, Scenario
from drill.scenarios.simulated.steady_state import BEFORE, FAILOVER_ENDS, STEADY, failed_back
from shared.places import Place

DOUBLE_TRIGGER = Scenario(
    name="double-trigger",
    title="Start the failover twice at the same moment",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        lose_region(Place.PRIMARY),
        # About when the witness notices too.
        Load(name="load until the failover is started", least_aws_seconds=30),
        StartFailover(Place.PRIMARY, times=2),
        FAILOVER_ENDS,
        Load(name="load without the primary region", least_aws_seconds=10),
    ),
    rollback=failed_back(Place.PRIMARY, writer=Place.SECONDARY),
    objectives=Objectives(
        service=Service(moves_to=Place.SECONDARY),
        take_over=TakeOver(lost=Place.PRIMARY, by_sentinel=False, requested=2),
    ),
)
