"""Objectives of a scenario as typed values; `drill.verdict.verdict` turns each into checks with the measured values."""

from dataclasses import dataclass

from shared.places import Place

SENTINEL_AWS_SECONDS = 55.0
"""From the loss until the failover has begun: probes and the witness, in parallel with moving traffic. The budget is in
docs/architecture.md [R53-13]."""

DRAIN_AWS_SECONDS = 15.0
"""All that a failover may take besides the promotion itself until the ledger is drained."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """The effect that clients may notice. Interruptions are measured against the deployed health checks."""

    moves_to: Place | None = None  # where traffic must go by itself
    interrupted: bool = True  # whether an interruption is allowed at all
    serves_both: bool = False  # both regions answer while the fault lasts


@dataclass(frozen=True, kw_only=True)
class Overload:
    """After a storm of clients, and with the offered load below capacity again, service is whole by itself.

    Seconds are this machine's: what has to recover is computing, which the clock does not speed up.
    """

    within_seconds: float = 5.0
    share: float = 0.95  # of the payments offered then that must be acknowledged promptly
    rejects: bool = False  # some of the requests must be rejected, or it was no overload


@dataclass(frozen=True, kw_only=True)
class TakeOver:
    """A failover must happen, and no other than expected; what is judged by its time is the first one."""

    lost: Place
    by_sentinel: bool = True
    promotes: bool = True  # the writer moves; where the lost region had none, nothing is to be promoted
    requested: int = 0  # how often the drill starts it besides
    by_switchover: bool = False  # the lost region's database is available, so that the writer must move without loss
    loses_rows: bool = False  # the promotion must really lose rows, which the replay brings back
    failovers: int = 1  # that end well
    failbacks: int = 1  # that end well
    begins_aws_seconds: float = SENTINEL_AWS_SECONDS


@dataclass(frozen=True, kw_only=True)
class NoTakeOver:
    """No workflow may begin, and the sentinel of `watcher` must have logged one of these reasons."""

    watcher: Place | None = None
    reasons: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Planned:
    """Both regions are available, and the drill has the state machines move things: so many runs of each end well."""

    failovers: int = 0
    failbacks: int = 0
    aws_seconds: float = 120.0  # for each run: a switchover takes about 30 s, the witness as long again


@dataclass(frozen=True, kw_only=True)
class Objectives:
    service: Service
    take_over: TakeOver | NoTakeOver | Planned
    overload: Overload | None = None  # judged in place of `service`
    is_lost: bool = True  # a region is really away for a while
    timed: bool = True  # whether interruptions and the failover's times are judged; not at a speed they mean nothing at
    poisoned: int = 0  # entries that must reach people, while everything else is posted
