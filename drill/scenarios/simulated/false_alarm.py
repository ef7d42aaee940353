"""`false-alarm`: a sentinel's own way to the other region is broken. The witness knows better, and nothing happens."""

from drill.actions.faults import Blind, Unblind
from drill.model.objectives import NoTakeOver, Objectives, Service
from drill.model.scenario import Scenario, Send
from drill.scenarios.simulated.steady_state import BEFORE, STEADY
from shared.places import Place

FALSE_ALARM = Scenario(
    name="false-alarm",
    title="Break the sentinel's way to a region that is well",
    lost=Place.SECONDARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        Blind(Place.SECONDARY),
        # Longer than a sentinel needs to believe a loss.
        Send(name="load while the sentinel sees nothing", least_aws_seconds=75),
    ),
    way_back=(
        Unblind(Place.SECONDARY),
        Send(name="load after the false alarm", least_aws_seconds=15),
    ),
    objectives=Objectives(
        service=Service(interrupted=False),
        take_over=NoTakeOver(watcher=Place.SECONDARY, reasons=frozenset({"witness-says-peer-up"})),
        is_lost=False,
    ),
)
