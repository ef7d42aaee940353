"""`event-failover`: events reach both buses through the endpoint, and go on when the primary region is fenced."""

from drill.actions.events import PublishEvents, SubscribeEvents, UnsubscribeEvents
from drill.actions.regions import Fence, Unfence
from drill.model.objectives import NoTakeOver, Objectives, Service
from drill.model.scenario import Scenario, WaitFor
from drill.probes.deployed import EventArrives
from drill.scenarios.deployed.steady_state import AFTER, BACK, BEFORE, STEADY
from drill.scenarios.deployed.traffic_evacuation import LEAVES
from shared.places import Place

EVENT_FAILOVER = Scenario(
    name="event-failover",
    title="Publish events while the primary region is fenced",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        SubscribeEvents(),
        PublishEvents("before", times=2, apart_aws_seconds=5),
        WaitFor(
            name="events reach both buses",
            until=(EventArrives("before", Place.PRIMARY, taken=Place.PRIMARY), EventArrives("before", Place.SECONDARY)),
            within_aws_seconds=60,
            within_seconds=10,
        ),
        Fence(Place.PRIMARY),
        LEAVES,
        # The endpoint follows Route 53's health checks, three of 10 or 30 s.
        PublishEvents("fenced", times=10, apart_aws_seconds=15),
        WaitFor(
            name="events go to the secondary region's bus",
            until=(EventArrives("fenced", Place.SECONDARY, taken=Place.SECONDARY),),
            within_aws_seconds=60,
            within_seconds=10,
        ),
    ),
    rollback=(Unfence(Place.PRIMARY), UnsubscribeEvents(), BACK, AFTER),
    objectives=Objectives(service=Service(moves_to=Place.SECONDARY), take_over=NoTakeOver(), is_lost=False),
)
