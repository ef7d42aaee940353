"""`region-evacuation`: the primary region is left as planned, traffic and writer, and both come back."""

from drill.actions_regions import BringBack, Evacuate
from drill.environment_expectations import CoolDownOver, WriterAt
from drill.environment_scenarios.steady import AFTER, BACK, BEFORE, STEADY
from drill.expectations import LedgerKeepsUp, Runs
from drill.objectives import Objectives, Planned, Service
from drill.probes import ServedBy
from drill.scenario import Await, Scenario, Send, Settle
from shared.places import Place

REGION_EVACUATION = Scenario(
    name="region-evacuation",
    title="Leave the primary region as planned, and come back",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        Settle(
            name="the cool-down of the last change is over",
            until=(CoolDownOver(),),
            within_aws_seconds=330,
        ),
        Evacuate(Place.PRIMARY),
        Await(
            name="traffic and writer leave the primary region",
            until=(Runs("failover"), WriterAt(Place.SECONDARY), ServedBy(Place.SECONDARY), LedgerKeepsUp()),
            within_aws_seconds=180,
            within_seconds=20,
        ),
        Send(name="load without the primary region", least_aws_seconds=20, least_seconds=2),
    ),
    way_back=(BringBack(Place.PRIMARY), BACK, AFTER),
    objectives=Objectives(
        service=Service(moves_to=Place.SECONDARY), take_over=Planned(failovers=1, failbacks=1), is_lost=False
    ),
)
