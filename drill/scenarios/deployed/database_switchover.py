"""`database-switchover`: the writer is handed over to the other region and back; traffic stays where it is."""

from drill.actions.regions import BringBack, MoveWriter
from drill.model.objectives import Objectives, Planned, Service
from drill.model.scenario import Load, Scenario, WaitFor
from drill.probes.deployed import WriterAt
from drill.probes.recovery import LedgerKeepsUp, Runs
from drill.scenarios.deployed.steady_state import AFTER, BACK, BEFORE, STEADY
from shared.places import Place

DATABASE_SWITCHOVER = Scenario(
    name="database-switchover",
    title="Hand the database's writer over, and back, while payments go on",
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
    # The failback's machine does both: it is told where the writer belongs.
    objectives=Objectives(service=Service(interrupted=False), take_over=Planned(failbacks=2), is_lost=False),
)
