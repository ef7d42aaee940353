"""Reserved concurrency of a region's Lambda functions, derived from the account's limit.

A reservation is a floor and a ceiling at once: no other function can use it, and the function gets no more [LAMBDA-19].
So the workload has a ceiling, and functions that report health or carry out a failover have a floor that load on the
workload cannot reach.
"""

from collections.abc import Mapping

DEFAULT_LIMIT = 1000
"""AWS's default limit of concurrent executions of an account in a region [LAMBDA-4]."""

UNRESERVED = 100
"""The concurrency that Lambda keeps for functions without a reservation [LAMBDA-4], such as `parameter_sync`."""

LEAST_LIMIT = 250
"""The lowest limit at which anything is reserved. Below, the workload would be left with less than a share of its own,
and Lambda refuses any reservation of an account with 100 or 10."""

_FLOORS: Mapping[str, int] = {
    # Route 53's checkers, load balancer nodes and sentinels send about 7 requests a second. With a journal that does
    # not respond, an answer takes 2 seconds (decision 0010).
    "health": 20,
    # One run a minute, which may last 75 seconds, and Lambda's retry of a failed one.
    "sentinel": 3,
    # Both state machines carry out one step at a time; an operator may invoke it besides.
    "recovery": 10,
    "region-switch-fence": 2,
    "region-switch-prove": 2,
    # Invoked asynchronously: what is above waits in Lambda's queue, and the sweep finds what is left.
    "announcer": 10,
}
_LEDGER_SHARE = 10
"""One execution in so many, for batches of the stream's shards, replays and the sweep of the backlog."""
_LEDGER_LEAST = 30


def reserves(limit: int) -> bool:
    """Whether an account with this limit can reserve anything."""
    return limit >= LEAST_LIMIT


def reservations(limit: int) -> Mapping[str, int]:
    """Reserved concurrent executions by function; empty if the limit is too low. Together they leave UNRESERVED."""
    if not reserves(limit):
        return {}
    kept = {**_FLOORS, "ledger": max(_LEDGER_LEAST, limit // _LEDGER_SHARE)}
    return {"payments": limit - UNRESERVED - sum(kept.values()), **kept}
