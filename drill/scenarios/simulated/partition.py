"""`partition`: the regions cannot reach each other, and both serve clients. Neither may take over from the other."""

from drill.actions.faults import Fault, Recover
from drill.model.faults import Effect
from drill.model.objectives import NoTakeOver, Objectives, Service
from drill.model.scenario import Load, Scenario, WaitFor
from drill.probes.traffic import AcceptedAsOffered, ReplicationKeepsUp, TargetsHealthy
from drill.scenarios.simulated.steady_state import AT_REST
from shared.places import Place

PARTITION = Scenario(
    name="partition",
    title="Cut the network between the regions while both serve clients",
    lost=Place.SECONDARY,
    served_aside=Place.SECONDARY,
    hypothesis=WaitFor(
        on_timeout="rollback", name="steady state", until=AT_REST, within_aws_seconds=120, within_seconds=30
    ),
    method=(
        Load(name="load on both regions", least_aws_seconds=15),
        Fault(Effect.PARTITION),
        # Longer than a sentinel needs to detect a loss.
        Load(name="load on both sides of the partition", least_aws_seconds=75),
    ),
    rollback=(
        Recover(Effect.PARTITION),
        WaitFor(
            on_timeout="rollback",
            name="the regions are connected again",
            until=(AcceptedAsOffered(), TargetsHealthy(), ReplicationKeepsUp()),
            within_aws_seconds=120,
        ),
        Load(name="load after the partition", least_aws_seconds=15),
    ),
    objectives=Objectives(
        service=Service(interrupted=False, serves_both=True),
        take_over=NoTakeOver(watcher=Place.SECONDARY, reasons=frozenset({"witness-peer-up"})),
        is_lost=False,
    ),
)
