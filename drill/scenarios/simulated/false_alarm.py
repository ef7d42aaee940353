"""`false-alarm`: a sentinel's own way to the other region is broken. The witness knows better, and nothing happens."""

from drill.actions.faults import Fault, Recover
from drill.model.faults import Effect
from drill.model.objectives import NoTakeOver, Objectives, Service
from drill.model.scenario import Load, Scenario
from drill.scenarios.simulated.steady_state import BEFORE, STEADY
from shared.places import Place

FALSE_ALARM = Scenario(
    name="false-alarm",
    title="Break the sentinel's way to a region that is well",
    lost=Place.SECONDARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        Fault(Effect.SENTINEL_ISOLATION, Place.SECONDARY),
        # Longer than a sentinel needs to believe a loss.
        Load(name="load while the sentinel sees nothing", least_aws_seconds=75),
    ),
    rollback=(
        Recover(Effect.SENTINEL_ISOLATION, Place.SECONDARY),
        Load(name="load after the false alarm", least_aws_seconds=15),
    ),
    objectives=Objectives(
        service=Service(interrupted=False),
        take_over=NoTakeOver(watcher=Place.SECONDARY, reasons=frozenset({"witness-says-peer-up"})),
        is_lost=False,
    ),
)
