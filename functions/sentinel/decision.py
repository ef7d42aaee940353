"""Whether to start a failover: one pure decision on what was seen. The rows of the table are its whole logic."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from common.control.records import ControlRecords, RegionState
from common.control.rules import Witness


class Act(StrEnum):
    """Why a failover is started."""

    PEER_LOST = "peer-lost"
    UNFINISHED = "failover-unfinished"  # the peer is fenced and lost, but the run that was to follow did not succeed


class Hold(StrEnum):
    """Why none is started."""

    PEER_ANSWERS = "peer-answers"
    NOT_YET = "not-enough-failures"
    OWN_JOURNAL = "own-journal-unreadable"
    OWN_FENCED = "own-region-fenced"
    OWN_UNFIT = "own-region-unfit"  # unhealthy, or the peer may have taken over from it
    OWN_ENDPOINTS = "own-endpoints-fail-too"
    ALREADY = "peer-already-fenced"
    RUNS_UNKNOWN = "state-machine-unreadable"
    RUNNING = "run-in-progress"
    DECLINED = "people-declined"
    COOL_DOWN = "cool-down"
    WITNESS_OWN_DOWN = "witness-says-own-region-down"
    WITNESS_UP = "witness-says-peer-up"
    WITNESS_SILENT = "witness-silent"
    ATTEMPTS = "attempts-exhausted"
    RETRY_LATER = "last-attempt-too-recent"


# What needs nobody's attention: all is well, or it is being seen to, or it was.
CALM = frozenset({Hold.PEER_ANSWERS, Hold.NOT_YET, Hold.ALREADY, Hold.RUNNING, Hold.DECLINED})


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """The last probes of the peer, a round asking both its doors."""

    seen: int
    failed: int  # neither door answered as a living region; "fenced" is an answer
    needed: int
    last: dict[str, str]  # door to what it said last

    @property
    def suffice(self) -> bool:
        return self.failed >= self.needed


@dataclass(frozen=True, kw_only=True)
class Own:
    """What this region thinks of itself."""

    fit: bool  # healthy, and nobody can have taken over from it
    why: str
    doors: dict[str, str]
    doors_answer: bool  # at least one


@dataclass(frozen=True, kw_only=True)
class Runs:
    """The state machine's runs."""

    in_progress: str | None = None  # its name
    attempts: int = 0  # ended runs for the loss as it stands
    seconds_since_attempt: float | None = None
    unfinished: bool = False  # the failover that went on last here did not succeed
    declined: bool = False  # because people said no to it


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that was seen. Beyond `rounds` it is gathered only once they suffice."""

    rounds: Rounds
    region: str
    own: Own | None = None
    records: ControlRecords | None = None  # None: the own journal is silent
    witness_own: Witness = Witness.SILENT
    witness_peer: Witness = Witness.SILENT
    runs: Runs | None = None  # None: Step Functions is silent
    seconds_since_change: float | None = None  # since the writer moved, or a region came back
    cool_down_seconds: float = 0.0
    attempts_allowed: int = 1
    retry_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    act: bool
    reason: Act | Hold


@dataclass(frozen=True)
class _Row:
    holds: Callable[[Evidence], bool]
    reason: Hold


def _fenced(evidence: Evidence) -> bool:
    return evidence.records is not None and evidence.records.peer.state is RegionState.FENCED


def _has_moved(evidence: Evidence) -> bool:
    """The peer is fenced and this region has the writer: there is nothing left to take over."""
    return _fenced(evidence) and evidence.records is not None and evidence.records.writer.region == evidence.region


def _is_done(evidence: Evidence) -> bool:
    """Nothing is left to be replayed and proved either, as far as is known."""
    return _has_moved(evidence) and not (evidence.runs and evidence.runs.unfinished)


def _cools_down(evidence: Evidence) -> bool:
    """Between two changes of the writer. What finishes one is not another."""
    ago = evidence.seconds_since_change
    return not _has_moved(evidence) and ago is not None and ago < evidence.cool_down_seconds


def _attempted(evidence: Evidence) -> float | None:
    return evidence.runs.seconds_since_attempt if evidence.runs else None


# The first row that holds decides; if none does, the failover is started.
TABLE = (
    _Row(lambda seen: not seen.rounds.failed, Hold.PEER_ANSWERS),
    _Row(lambda seen: not seen.rounds.suffice, Hold.NOT_YET),
    _Row(lambda seen: seen.records is None, Hold.OWN_JOURNAL),
    _Row(lambda seen: seen.records is not None and seen.records.own.state is RegionState.FENCED, Hold.OWN_FENCED),
    _Row(_is_done, Hold.ALREADY),
    _Row(lambda seen: seen.runs is None, Hold.RUNS_UNKNOWN),
    _Row(lambda seen: seen.runs is not None and seen.runs.in_progress is not None, Hold.RUNNING),
    # Who said no is not asked again every minute; a failover started by hand asks, or brings the region back.
    _Row(lambda seen: seen.runs is not None and seen.runs.declined, Hold.DECLINED),
    # The own path to the world may be what is broken, and not the peer.
    _Row(lambda seen: seen.own is None or not seen.own.doors_answer, Hold.OWN_ENDPOINTS),
    _Row(lambda seen: seen.witness_own is Witness.DOWN, Hold.WITNESS_OWN_DOWN),
    _Row(lambda seen: seen.witness_peer is Witness.UP, Hold.WITNESS_UP),
    # Without the witness a partition looks just like a loss. Traffic and payments have moved already, so waiting costs
    # the ledger some delay; acting could make two writers.
    _Row(lambda seen: seen.witness_peer is Witness.SILENT, Hold.WITNESS_SILENT),
    _Row(lambda seen: seen.own is None or not seen.own.fit, Hold.OWN_UNFIT),
    _Row(_cools_down, Hold.COOL_DOWN),
    _Row(lambda seen: seen.runs is not None and seen.runs.attempts >= seen.attempts_allowed, Hold.ATTEMPTS),
    _Row(lambda seen: (ago := _attempted(seen)) is not None and ago < seen.retry_seconds, Hold.RETRY_LATER),
)


def decide(evidence: Evidence) -> Verdict:
    """What a sentinel that saw `evidence` does."""
    for row in TABLE:
        if row.holds(evidence):
            return Verdict(act=False, reason=row.reason)
    return Verdict(act=True, reason=Act.UNFINISHED if _fenced(evidence) else Act.PEER_LOST)
