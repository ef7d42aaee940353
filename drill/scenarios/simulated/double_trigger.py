"""`double-trigger`: two people ask for the failover at the same moment, as the sentinel is about to. One happens."""

from drill.actions.faults import Lose
from drill.actions.workflows import StartFailover
from drill.model.objectives import Objectives, Service, TakeOver
from drill.model.scenario import Scenario, Send
from drill.scenarios.simulated.steady_state import BEFORE, FAILOVER_ENDS, STEADY, failed_back
from shared.places import Place

DOUBLE_TRIGGER = Scenario(
    name="double-trigger",
    title="Ask for the failover twice at the same moment",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        Lose(Place.PRIMARY),
        # About when the witness notices too.
        Send(name="load until somebody acts", least_aws_seconds=30),
        StartFailover(Place.PRIMARY, times=2),
        FAILOVER_ENDS,
        Send(name="load without the primary region", least_aws_seconds=10),
    ),
    way_back=failed_back(Place.PRIMARY, writer=Place.SECONDARY),
    objectives=Objectives(
        service=Service(moves_to=Place.SECONDARY),
        take_over=TakeOver(lost=Place.PRIMARY, by_sentinel=False, asked=2),
    ),
)
