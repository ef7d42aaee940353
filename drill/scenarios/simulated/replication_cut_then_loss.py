"""`replication-cut-then-loss`: the database's reader is 30 s behind when the primary region goes. The promotion loses
what had not arrived; the replay of the journal brings back every row."""

from drill.actions.faults import Fault, Recover, lose_region
from drill.model.faults import Effect
from drill.model.objectives import Objectives, Service, TakeOver
from drill.model.scenario import Load, Scenario, SnapshotLedger, WaitFor
from drill.probes.recovery import ReaderBehind
from drill.scenarios.simulated.steady_state import BEFORE, FAILOVER_ENDS, STEADY, failed_back
from shared.places import Place

_LAG = 30.0

REPLICATION_CUT_THEN_LOSS = Scenario(
    name="replication-cut-then-loss",
    title="Lose the primary region while the database's reader is 30 s behind",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        Fault(Effect.REPLICA_LAG, aws_seconds=_LAG),
        Load(name="load while the reader falls behind", least_aws_seconds=_LAG),
        WaitFor(
            on_timeout="rollback",
            # Measured between two observations, and with the machine's own delays.
            name="the reader is behind",
            until=(ReaderBehind(0.8 * _LAG),),
            within_aws_seconds=30,
        ),
        SnapshotLedger(name="count the writer's rows", place=Place.PRIMARY),
        lose_region(Place.PRIMARY),
        FAILOVER_ENDS,
        Load(name="load without the primary region", least_aws_seconds=10),
    ),
    rollback=(Recover(Effect.REPLICA_LAG), *failed_back(Place.PRIMARY, writer=Place.SECONDARY)),
    objectives=Objectives(
        service=Service(moves_to=Place.SECONDARY),
        take_over=TakeOver(lost=Place.PRIMARY, loses_rows=True),
    ),
)
