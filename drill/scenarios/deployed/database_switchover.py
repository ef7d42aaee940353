"""`database-switchover`: the writer moves to the other region and back; traffic stays where it is."""

from drill.actions.regions import BringBack, MoveWriter
from drill.model.objectives import Objectives, Planned, Service
from drill.model.scenario import Load, Scenario, WaitFor
from drill.probes.deployed import WriterAt
from drill.probes.recovery import LedgerKeepsUp, Runs
from drill.scenarios.deployed.steady_state import AFTER, BACK, BEFORE, STEADY
from shared.places import Place

DATABASE_SWITCHOVER = Scenario(
    name="database-switchover",
    title="Switch the database's writer over and back under load",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        MoveWriter(Place.PRIMARY),
        WaitFor(
            name="the writer moves",
            until=(Runs("failback"), WriterAt(Place.SECONDARY), LedgerKeepsUp()),
            within_aws_seconds=180,
            within_seconds=20,
        ),
        Load(name="load with the writer in the secondary region", least_aws_seconds=20, least_seconds=2),
    ),
    rollback=(BringBack(Place.PRIMARY), BACK, AFTER),
    # The failback's state machine does both: its input names the writer's region.
    objectives=Objectives(service=Service(interrupted=False), take_over=Planned(failbacks=2), is_lost=False),
)
