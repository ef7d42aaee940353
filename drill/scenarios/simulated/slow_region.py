"""`slow-region`: the primary region accepts every request and answers none. Its callers must time out soon enough."""

from drill.actions.faults import lose_region
from drill.model.faults import OutageMode
from drill.model.objectives import Objectives, Service, TakeOver
from drill.model.scenario import Load, Scenario
from drill.scenarios.simulated.steady_state import BEFORE, FAILOVER_ENDS, STEADY, failed_back
from shared.places import Place

SLOW_REGION = Scenario(
    name="slow-region",
    title="Let the primary region hang instead of refusing requests",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        lose_region(Place.PRIMARY, OutageMode.HANG),
        FAILOVER_ENDS,
        Load(name="load without the primary region", least_aws_seconds=10),
    ),
    rollback=failed_back(Place.PRIMARY, writer=Place.SECONDARY),
    objectives=Objectives(
        service=Service(moves_to=Place.SECONDARY),
        # Route 53's checkers find an endpoint that hangs unhealthy after 3 times 10 s, plus up to 4 s for the last
        # of them to give up, and a resolver may repeat "up" for 10 s more; then the sentinel reads it every 2 s.
        take_over=TakeOver(lost=Place.PRIMARY, begins_aws_seconds=55.0),
    ),
    # A region that hangs is waited for in real time: about 2 s of a failover, half a second each, at any speed.
    fastest=1.5,
)
