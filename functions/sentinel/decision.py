"""Decides whether to start a failover. Pure; the rows of TABLE are the whole logic."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from common.control.records import ControlRecords, RegionState
from common.control.rules import Witness


class Act(StrEnum):
    """Reasons for starting a failover."""

    PEER_LOST = "peer-lost"
    UNFINISHED = "failover-unfinished"  # the peer is fenced and lost, but the execution that fenced it did not succeed


class Hold(StrEnum):
    """Reasons for not starting a failover."""

    PEER_ANSWERS = "peer-answers"
    NOT_ENOUGH_FAILURES = "not-enough-failures"
    OWN_JOURNAL = "own-journal-unreadable"
    OWN_FENCED = "own-region-fenced"
    OWN_UNFIT = "own-region-unfit"  # unhealthy, or no health checker calls it
    OWN_ENDPOINTS = "own-endpoints-fail-too"
    ALREADY = "peer-already-fenced"
    RUNS_UNKNOWN = "state-machine-unreadable"
    RUNNING = "run-in-progress"
    DECLINED = "people-declined"
    OVERLOADED = "peer-overloaded"  # alive, and without capacity for health checks
    COOL_DOWN = "cool-down"
    WITNESS_OWN_DOWN = "witness-own-region-down"
    WITNESS_UP = "witness-peer-up"
    WITNESS_SILENT = "witness-silent"
    RETRY_LATER = "last-attempt-too-recent"


# Reasons that need no attention: all is well, or an execution or an operator takes care of it.
CALM = frozenset({Hold.PEER_ANSWERS, Hold.NOT_ENOUGH_FAILURES, Hold.ALREADY, Hold.RUNNING, Hold.DECLINED})


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """The last rounds of probes of the peer; a round probes both its endpoints."""

    seen: int
    failed: int  # rounds in which neither endpoint answered as a live region; "fenced" is such an answer
    needed: int  # failed rounds that make the peer suspect
    overloaded: int = 0  # of the failed rounds, those that ELB and API Gateway answered themselves at both endpoints
    last: dict[str, str]  # latest health by endpoint

    @property
    def suffice(self) -> bool:
        """Whether enough rounds failed."""
        return self.failed >= self.needed

    @property
    def suffice_without_overload(self) -> bool:
        """Whether enough rounds failed otherwise than by overload."""
        return self.failed - self.overloaded >= self.needed


@dataclass(frozen=True, kw_only=True)
class OwnRegion:
    """The state of this region by its own control rules and endpoints."""

    fit: bool  # healthy, and the peer cannot have taken over
    reason: str  # of the control rules' decision
    endpoints: dict[str, str]  # health by endpoint
    any_endpoint_alive: bool


@dataclass(frozen=True, kw_only=True)
class Runs:
    """The executions of this region's state machines."""

    in_progress: str | None = None  # name of the running execution
    attempts: int = 0  # executions for the current records: the number of the next one
    failed: int = 0  # ended executions for the current loss that failed; those that were held do not count
    seconds_since_attempt: float | None = None
    unfinished: bool = False  # the last failover that proceeded here did not succeed
    declined: bool = False  # because an operator declined it


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The input of the decision. All beyond `rounds` is gathered only once enough of them failed."""

    rounds: Rounds
    region: str
    own: OwnRegion | None = None
    records: ControlRecords | None = None  # None: the own journal does not answer
    witness_own: Witness = Witness.SILENT
    witness_peer: Witness = Witness.SILENT
    runs: Runs | None = None  # None: Step Functions does not answer
    peer_journal: bool = False  # whether the peer's replica of the journal answered
    overload_seconds: float = 0.0  # AWS seconds since the first failed round in a row
    overload_limit_seconds: float = 0.0  # of overload, after which the peer counts as lost
    seconds_since_change: float | None = None  # since the writer moved or a region was unfenced; None: never
    cool_down_seconds: float = 0.0
    retry_seconds: float = 0.0  # pause after the first failed execution; it doubles with each further one
    retry_max_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether to start the failover, and the row that decided."""

    act: bool
    reason: Act | Hold


@dataclass(frozen=True)
class _Row:
    holds: Callable[[Evidence], bool]
    reason: Hold


def _fenced(evidence: Evidence) -> bool:
    return evidence.records is not None and evidence.records.peer.state is RegionState.FENCED


def _has_moved(evidence: Evidence) -> bool:
    """The peer is fenced and this region has the writer."""
    return _fenced(evidence) and evidence.records is not None and evidence.records.writer.region == evidence.region


def _is_done(evidence: Evidence) -> bool:
    """The writer has moved, and no execution is known to be unfinished."""
    return _has_moved(evidence) and not (evidence.runs and evidence.runs.unfinished)


def _cools_down(evidence: Evidence) -> bool:
    """Between two changes of the writer; resuming one does not count as another."""
    ago = evidence.seconds_since_change
    return not _has_moved(evidence) and ago is not None and ago < evidence.cool_down_seconds


def retry_pause(failed: int, *, base: float, limit: float) -> float:
    """Seconds from the end of an execution to the start of the next one: `base`, doubled with each failed one after the
    first, at most `limit`. There is no last attempt: while the loss lasts, the next one may succeed."""
    doublings = min(max(failed - 1, 0), 32)
    return float(min(base * 2**doublings, limit))


def _is_too_soon(evidence: Evidence) -> bool:
    """Whether the pause after the last execution is not over."""
    runs = evidence.runs
    if runs is None or runs.seconds_since_attempt is None:
        return False
    pause = retry_pause(runs.failed, base=evidence.retry_seconds, limit=evidence.retry_max_seconds)
    return runs.seconds_since_attempt < pause


def _is_overloaded(evidence: Evidence) -> bool:
    """The peer's endpoints and its journal answer, and only its functions do not. Moving the writer would halve the
    capacity, and the load would follow. Without end this would also hide an outage of Lambda: hence the limit."""
    return (
        evidence.peer_journal
        and not _fenced(evidence)
        and not evidence.rounds.suffice_without_overload
        and evidence.overload_seconds < evidence.overload_limit_seconds
    )


# The first row that holds decides; if none holds, the failover is started.
TABLE = (
    _Row(lambda seen: not seen.rounds.failed, Hold.PEER_ANSWERS),
    _Row(lambda seen: not seen.rounds.suffice, Hold.NOT_ENOUGH_FAILURES),
    _Row(lambda seen: seen.records is None, Hold.OWN_JOURNAL),
    _Row(lambda seen: seen.records is not None and seen.records.own.state is RegionState.FENCED, Hold.OWN_FENCED),
    _Row(_is_done, Hold.ALREADY),
    _Row(lambda seen: seen.runs is None, Hold.RUNS_UNKNOWN),
    _Row(lambda seen: seen.runs is not None and seen.runs.in_progress is not None, Hold.RUNNING),
    # A declined failover is not proposed again every minute; a manual failover or failback ends this state.
    _Row(lambda seen: seen.runs is not None and seen.runs.declined, Hold.DECLINED),
    _Row(_is_overloaded, Hold.OVERLOADED),
    # This region's own network path may be broken, and not the peer.
    _Row(lambda seen: seen.own is None or not seen.own.any_endpoint_alive, Hold.OWN_ENDPOINTS),
    _Row(lambda seen: seen.witness_own is Witness.DOWN, Hold.WITNESS_OWN_DOWN),
    _Row(lambda seen: seen.witness_peer is Witness.UP, Hold.WITNESS_UP),
    # Without the witness a partition is indistinguishable from a loss. Traffic and payments have moved already, so
    # waiting only delays the ledger; a failover could create two writers.
    _Row(lambda seen: seen.witness_peer is Witness.SILENT, Hold.WITNESS_SILENT),
    _Row(lambda seen: seen.own is None or not seen.own.fit, Hold.OWN_UNFIT),
    _Row(_cools_down, Hold.COOL_DOWN),
    _Row(_is_too_soon, Hold.RETRY_LATER),
)


def decide(evidence: Evidence) -> Verdict:
    """The verdict on `evidence`: hold by the first row of TABLE that holds, else act."""
    for row in TABLE:
        if row.holds(evidence):
            return Verdict(act=False, reason=row.reason)
    return Verdict(act=True, reason=Act.UNFINISHED if _fenced(evidence) else Act.PEER_LOST)
