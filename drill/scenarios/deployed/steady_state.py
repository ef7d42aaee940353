"""The steady state that every scenario for a deployed environment starts from and returns to."""

from drill.model.expectation import Expectation
from drill.model.scenario import Load, WaitFor
from drill.probes.deployed import NobodyFenced, WriterAt
from drill.probes.recovery import LedgerKeepsUp, NothingRuns
from drill.probes.traffic import AcceptedAsOffered, ServedBy, TargetsHealthy
from shared.places import Place

AT_REST: tuple[Expectation, ...] = (
    AcceptedAsOffered(),
    TargetsHealthy(),
    NobodyFenced(),
    WriterAt(Place.PRIMARY),
    ServedBy(Place.PRIMARY),
    LedgerKeepsUp(),
    NothingRuns(),
)
STEADY = WaitFor(on_timeout="rollback", name="steady state", until=AT_REST, within_aws_seconds=120, within_seconds=30)
BEFORE = Load(name="load on both regions", least_aws_seconds=15, least_seconds=2)
AFTER = Load(name="load afterwards", least_aws_seconds=15, least_seconds=2)
BACK = WaitFor(
    on_timeout="rollback",
    # The ledger's stream tries a batch again within a minute (Lambda's own pauses between tries).
    name="the steady state returns",
    until=AT_REST,
    within_aws_seconds=180,
    within_seconds=30,
)
