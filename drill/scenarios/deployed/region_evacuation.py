"""`region-evacuation`: a planned failover of traffic and writer away from the primary region, and the failback."""

from drill.actions.regions import BringBack, Evacuate
from drill.model.objectives import Objectives, Planned, Service
from drill.model.scenario import Load, Scenario, WaitFor
from drill.probes.deployed import CoolDownOver, WriterAt
from drill.probes.recovery import LedgerKeepsUp, Runs
from drill.probes.traffic import ServedBy
from drill.scenarios.deployed.steady_state import AFTER, BACK, BEFORE, STEADY
from shared.places import Place

REGION_EVACUATION = Scenario(
    name="region-evacuation",
    title="Evacuate the primary region as planned, and fail back",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        WaitFor(
            on_timeout="rollback",
            name="the cool-down of the last change is over",
            until=(CoolDownOver(),),
            within_aws_seconds=330,
        ),
        Evacuate(Place.PRIMARY),
        WaitFor(
            name="traffic and writer leave the primary region",
            until=(Runs("failover"), WriterAt(Place.SECONDARY), ServedBy(Place.SECONDARY), LedgerKeepsUp()),
            within_aws_seconds=180,
            within_seconds=20,
        ),
        Load(name="load without the primary region", least_aws_seconds=20, least_seconds=2),
    ),
    rollback=(BringBack(Place.PRIMARY), BACK, AFTER),
    objectives=Objectives(
        service=Service(moves_to=Place.SECONDARY), take_over=Planned(failovers=1, failbacks=1), is_lost=False
    ),
)
