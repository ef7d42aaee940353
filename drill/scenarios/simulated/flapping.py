"""`flapping`: repeated short outages of the primary region, each too short to count as a loss."""

from drill.actions.faults import FlapRegion
from drill.model.objectives import NoTakeOver, Objectives, Service
from drill.model.scenario import Load, Scenario, WaitFor
from drill.probes.traffic import ReplicationKeepsUp, TargetsHealthy
from drill.scenarios.simulated.steady_state import BEFORE, STEADY
from shared.places import Place

FLAPPING = Scenario(
    name="flapping",
    title="Take the primary region down repeatedly, each time for less than the threshold",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        # Four probes of five, 5 s apart, must fail; two or three fit into 10 s, and after 25 s all five are new.
        FlapRegion(Place.PRIMARY, times=3, away_aws_seconds=10, back_aws_seconds=25),
    ),
    rollback=(
        WaitFor(
            on_timeout="rollback",
            name="the primary region takes part again",
            until=(TargetsHealthy(), ReplicationKeepsUp()),
            within_aws_seconds=120,
        ),
        Load(name="load after the last return", least_aws_seconds=15),
    ),
    objectives=Objectives(
        service=Service(),
        take_over=NoTakeOver(watcher=Place.SECONDARY, reasons=frozenset({"not-enough-failures", "witness-peer-up"})),
    ),
)
