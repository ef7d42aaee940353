"""`poison-event`: two entries in the journal cannot be posted. Everything else must be; they become dead letters."""

from drill.actions.poison import Poison, RemovePoison
from drill.model.objectives import NoTakeOver, Objectives, Service
from drill.model.scenario import Load, Scenario, WaitFor
from drill.probes.recovery import LedgerKeepsUp
from drill.scenarios.simulated.steady_state import BEFORE, STEADY
from shared.places import Place

POISON_EVENT = Scenario(
    name="poison-event",
    title="Put entries into the journal that no ledger can post",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        Poison(),
        Load(name="load with the poisoned entries", least_aws_seconds=20),
        WaitFor(
            name="the ledger continues past them",
            until=(LedgerKeepsUp(),),
            within_aws_seconds=30,
            within_seconds=5,
        ),
    ),
    rollback=(RemovePoison(), Load(name="load without them", least_aws_seconds=10)),
    objectives=Objectives(
        service=Service(interrupted=False),
        take_over=NoTakeOver(),
        is_lost=False,
        poisoned=2,
    ),
)
