"""`partition`: the regions cannot reach each other, and both serve clients. Neither may take over from the other."""

from drill.actions.faults import Cut, Join
from drill.model.objectives import NoTakeOver, Objectives, Service
from drill.model.scenario import Scenario, Send, Settle
from drill.probes.traffic import AcceptedAsOffered, ReplicationKeepsUp, TargetsHealthy
from drill.scenarios.simulated.steady_state import AT_REST
from shared.places import Place

PARTITION = Scenario(
    name="partition",
    title="Cut the regions off from each other while both serve clients",
    lost=Place.SECONDARY,
    served_aside=Place.SECONDARY,
    hypothesis=Settle(name="steady state", until=AT_REST, within_aws_seconds=120, within_seconds=30),
    method=(
        Send(name="load on both regions", least_aws_seconds=15),
        Cut(),
        # Longer than a sentinel needs to believe a loss.
        Send(name="load on both sides of the cut", least_aws_seconds=75),
    ),
    way_back=(
        Join(),
        Settle(
            name="the regions know each other again",
            until=(AcceptedAsOffered(), TargetsHealthy(), ReplicationKeepsUp()),
            within_aws_seconds=120,
        ),
        Send(name="load after the cut", least_aws_seconds=15),
    ),
    objectives=Objectives(
        service=Service(interrupted=False, serves_both=True),
        take_over=NoTakeOver(watcher=Place.SECONDARY, reasons=frozenset({"witness-says-peer-up"})),
        is_lost=False,
    ),
)
