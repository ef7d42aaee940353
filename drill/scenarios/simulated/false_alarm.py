"""`false-alarm`: one sentinel cannot reach the other region. The witness still can, so there is no failover."""

from drill.actions.faults import Fault, Recover
from drill.model.faults import Effect
from drill.model.objectives import NoTakeOver, Objectives, Service
from drill.model.scenario import Load, Scenario
from drill.scenarios.simulated.steady_state import BEFORE, STEADY
from shared.places import Place

FALSE_ALARM = Scenario(
    name="false-alarm",
    title="Isolate a sentinel from a region that is healthy",
    lost=Place.SECONDARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        Fault(Effect.SENTINEL_ISOLATION, Place.SECONDARY),
        # Longer than a sentinel needs to detect a loss.
        Load(name="load while the sentinel is isolated", least_aws_seconds=75),
    ),
    rollback=(
        Recover(Effect.SENTINEL_ISOLATION, Place.SECONDARY),
        Load(name="load after the false alarm", least_aws_seconds=15),
    ),
    objectives=Objectives(
        service=Service(interrupted=False),
        take_over=NoTakeOver(watcher=Place.SECONDARY, reasons=frozenset({"witness-peer-up"})),
        is_lost=False,
    ),
)
