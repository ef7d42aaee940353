"""`restore-from-backup`: the journal is restored in the other region from its past, proved row by row, and deleted."""

from drill.actions.restore import DeleteRestored, RestoreJournal
from drill.model.objectives import NoTakeOver, Objectives, Service
from drill.model.scenario import Scenario, WaitFor
from drill.probes.deployed import RestoredRowsHold
from drill.scenarios.deployed.steady_state import AFTER, BEFORE, STEADY
from shared.places import Place

RESTORE_FROM_BACKUP = Scenario(
    name="restore-from-backup",
    title="Restore the journal in the other region, prove its rows, delete it",
    lost=Place.SECONDARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        RestoreJournal(Place.SECONDARY),
        WaitFor(
            name="the restored rows are those in use",
            until=(RestoredRowsHold(Place.SECONDARY),),
            within_aws_seconds=60,
            within_seconds=10,
        ),
    ),
    rollback=(DeleteRestored(Place.SECONDARY), AFTER),
    objectives=Objectives(service=Service(interrupted=False), take_over=NoTakeOver(), is_lost=False),
    not_exercised=(
        "The copies in the vaults: AWS Backup's restore testing, which the stacks set up, restores those each week. "
        "This drill restores from the replica's own points in time.",
    ),
)
