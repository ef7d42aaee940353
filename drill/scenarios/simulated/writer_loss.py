"""`writer-loss`: the database's writer fails, its region does not. Payments go on by the journal; the ledger catches
up."""

from drill.actions.faults import Fault, Recover
from drill.model.faults import Effect
from drill.model.objectives import NoTakeOver, Objectives, Service
from drill.model.scenario import Load, Scenario, WaitFor
from drill.probes.recovery import DatabasesFollow, LedgerKeepsUp
from drill.scenarios.simulated.steady_state import BEFORE, STEADY
from shared.places import Place

WRITER_LOSS = Scenario(
    name="writer-loss",
    title="Lose the database's writer, and nothing else of its region",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        Fault(Effect.DATABASE_OUTAGE, Place.PRIMARY),
        Load(name="load without a writer", least_aws_seconds=60),
    ),
    rollback=(
        Recover(Effect.DATABASE_OUTAGE, Place.PRIMARY),
        WaitFor(
            on_timeout="rollback",
            name="the database is back",
            until=(DatabasesFollow(),),
            within_aws_seconds=60,
        ),
        WaitFor(
            # The stream tries again within a minute at most (Lambda's own pauses between tries of a batch).
            name="the ledger catches up with the journal",
            until=(LedgerKeepsUp(),),
            within_aws_seconds=75,
        ),
        Load(name="load after its return", least_aws_seconds=10),
    ),
    objectives=Objectives(
        service=Service(interrupted=False),
        take_over=NoTakeOver(watcher=Place.SECONDARY, reasons=frozenset({"peer-answers"})),
        is_lost=False,
    ),
)
