"""What every scenario for a deployed environment starts from and returns to."""

from drill.environment_expectations import NobodyFenced, WriterAt
from drill.expectations import LedgerKeepsUp, NothingRuns
from drill.probes import AcceptedAsOffered, Expectation, ServedBy, TargetsHealthy
from drill.scenario import Send, Settle
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
STEADY = Settle(name="steady state", until=AT_REST, within_aws_seconds=120, within_seconds=30)
BEFORE = Send(name="load on both regions", least_aws_seconds=15, least_seconds=2)
AFTER = Send(name="load afterwards", least_aws_seconds=15, least_seconds=2)
BACK = Settle(
    # The ledger's stream tries a batch again within a minute (Lambda's own pauses between tries).
    name="the steady state comes back",
    until=AT_REST,
    within_aws_seconds=180,
    within_seconds=30,
)
