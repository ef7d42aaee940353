"""The load that an estimate assumes. Averages over a month; what is not asked about in numbers is a constant here."""

from dataclasses import dataclass

HOURS = 730  # AWS's own month
SECONDS = HOURS * 3600
KB_IN_GB = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Load:
    """What clients do, and what lies where after a while."""

    payments_per_second: float = 1.0
    reads_per_payment: float = 1.0
    request_kb: float = 2.0  # one question and its answer
    function_ms: float = 60.0
    log_kb: float = 1.0  # a request, in the function's log
    journal_gb: float = 10.0
    database_gb: float = 10.0
    database_acu: float = 0.0  # that a serverless writer takes on average; its least capacity if that is more
    bucket_gb: float = 10.0
    failovers: float = 1.0  # a month, drills among them
    api_share: float = 0.0  # of the requests that come by the regional API instead of the accelerator

    @property
    def payments(self) -> float:
        return self.payments_per_second * SECONDS

    @property
    def requests(self) -> float:
        return self.payments * (1 + self.reads_per_payment)


# One payment, as the programs do it (decision 0001): a write to each of the two replicas, each of which is replicated.
TABLE_WRITES = 4
# Reads of the control record are cached in the function; a read of a payment is one.
TABLE_READS = 1
# The ledger's statement at the writer, and what of it reaches the other region's storage.
DATABASE_IO = 4
REPLICATED_IO = 2
# What a request makes a function say to AWS and to the peer, by whatever way leads out of its subnets.
CALLS_KB = 6.0
ACCESS_LOG_KB = 0.5
FLOW_LOG_KB = 0.6
TRANSITIONS = 40  # of a failover with its failback
# Checkers that probe an endpoint from all over the world [R53-10]: about one request every two seconds at 30 s.
CHECKERS = 15
# X-Ray records the first request of a second and this share of the others [XRAY-1].
SAMPLED = 0.05
# Lambda's pollers of a queue: five, each asking for 20 s at a time [LAMBDA-14].
POLLS = 5 * SECONDS / 20
