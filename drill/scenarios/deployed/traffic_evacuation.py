"""`traffic-evacuation`: one region is fenced by its control record; traffic leaves by health and comes back by it."""

from drill.actions.regions import Fence, Unfence
from drill.model.objectives import NoTakeOver, Objectives, Service
from drill.model.scenario import Load, Scenario, WaitFor
from drill.probes.traffic import ServedBy
from drill.scenarios.deployed.steady_state import AFTER, BACK, BEFORE, STEADY
from shared.places import Place

LEAVES = WaitFor(
    # A fence takes effect within seconds, the health checks take 20 s to see it, the accelerator less than 30 s.
    name="traffic leaves the primary region",
    until=(ServedBy(Place.SECONDARY),),
    within_aws_seconds=90,
    within_seconds=8,
)
TRAFFIC_EVACUATION = Scenario(
    name="traffic-evacuation",
    title="Fence the primary region, and unfence it",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        Fence(Place.PRIMARY),
        LEAVES,
        Load(name="load without the primary region", least_aws_seconds=20, least_seconds=3),
    ),
    rollback=(Unfence(Place.PRIMARY), BACK, AFTER),
    objectives=Objectives(service=Service(moves_to=Place.SECONDARY), take_over=NoTakeOver(), is_lost=False),
    not_exercised=("The database stays where it is: while its region is fenced, payments wait in the journal.",),
)
