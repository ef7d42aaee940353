"""When a cell is fit for traffic, and when its ledger may post: pure rules, the heart of the product.

A cell knows its own replica's records, its peer's if the peer answers, what it remembers, and what the witness says of
its *own* region. Why these rules never let two regions post at once: docs/decisions/0006-who-may-write-the-ledger.md.
Times are seconds since 1970 by the cell's own clock.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from .records import ControlRecords, RegionState, newest


class Witness(StrEnum):
    """What the world outside both regions says of a region."""

    UP = "up"
    DOWN = "down"
    SILENT = "silent"


@dataclass(frozen=True, kw_only=True)
class Times:
    """The durations of the rules, in seconds."""

    lease: float = 15.0  # how long one good word, the peer's or the witness's, is believed without another
    away: float = 30.0  # a cell that has not looked around for this long comes back as from an outage
    grace: float = 30.0  # how long a cell that came back waits for its peer before it relies on its memory
    decision: float = 2.0  # how old a decision may be when a statement is sent on it
    statement: float = 3.0  # how long a statement may take
    witness_ttl: float = 10.0  # how long resolvers may repeat the witness's answer

    @property
    def settle(self) -> float:
        """After this long of nothing but "down" at the witness, that region's ledger has stopped, whatever it sees.

        The first "down" and the last may each have been repeated by a resolver for `witness_ttl`, theirs and ours. A
        region that heard "up" before and after has looked within every `lease`. Then what it decided and sent runs out.
        """
        return 2 * self.witness_ttl + self.lease + self.decision + self.statement


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What a cell remembers between looks, in its replica, shared by all of its functions."""

    known: ControlRecords
    vouched_at: float | None  # last good word in an unbroken chain since the peer answered; None once it broke
    seen_at: float  # last look
    back_at: float | None = None  # when it came back from being away, until the peer has answered
    revision: int = 0


@dataclass(frozen=True, kw_only=True)
class View:
    """What a cell sees at one moment."""

    region: str
    at: float
    own: ControlRecords | None  # None: the own replica is silent
    peer: ControlRecords | None  # the peer's copy, own and peer as this cell means them; None: the peer is silent
    memory: Memory | None  # None: this cell has never looked
    witness: Witness
    times: Times = Times()

    @cached_property
    def records(self) -> ControlRecords | None:
        """The newest this cell knows of each record."""
        remembered = self.memory.known if self.memory else None
        return newest(self.own, self.peer, remembered) if self.own else None

    @property
    def is_returning(self) -> bool:
        """It was away, the world outside noticed, and it has not waited long enough for its peer."""
        if self.peer or self.memory is None or self.witness is Witness.UP:
            return False
        if self.at - self.memory.seen_at > self.times.away:
            return True
        return self.memory.back_at is not None and self.at - self.memory.back_at < self.times.grace

    @property
    def is_cut_off(self) -> bool:
        """It had no good word for longer than the lease, or heard a bad one, since the peer last answered."""
        vouched_at = self.memory.vouched_at if self.memory else None
        return self.peer is None and (vouched_at is None or self.at - vouched_at > self.times.lease)


class Reason(StrEnum):
    """Codes of why a decision is what it is; each is one row of the table."""

    JOURNAL_UNAVAILABLE = "journal-unavailable"
    BOTH_FENCED = "both-regions-fenced"
    FENCED = "fenced"
    RETURNING = "returning"
    READER = "reader"
    WRITER_DISPUTED = "writer-unknown"
    STATE_UNKNOWN = "control-record-invalid"
    WITNESS_DOWN = "witness-down"
    CONFIRMED = "peer-confirmed"
    NO_WORD = "peer-and-witness-silent"
    PEER_FENCED = "peer-fenced"
    CUT_OFF = "peer-may-have-taken-over"
    VOUCHED = "witness-vouched"

    @property
    def explanation(self) -> str:
        """The code as a sentence without a full stop."""
        return _EXPLANATIONS[self]


_EXPLANATIONS = {
    Reason.JOURNAL_UNAVAILABLE: "this region's journal cannot be read",
    Reason.BOTH_FENCED: "both regions are fenced; the writer's region serves until an operator runs unfence",
    Reason.FENCED: "this region is fenced",
    Reason.RETURNING: "this region is back from an outage and waits for its peer",
    Reason.READER: "the other region is the writer",
    Reason.WRITER_DISPUTED: "the control records do not agree on the writer",
    Reason.STATE_UNKNOWN: "this region's control record is invalid",
    Reason.WITNESS_DOWN: "the witness reports this region as down",
    Reason.CONFIRMED: "the peer confirms the newest epoch",
    Reason.NO_WORD: "neither the peer nor the witness answers",
    Reason.PEER_FENCED: "the peer is fenced and silent, and the witness reports this region as up",
    Reason.CUT_OFF: "the peer is silent and may have taken over since its last answer",
    Reason.VOUCHED: "the peer is silent, and the witness has reported this region as up ever since",
}


@dataclass(frozen=True, kw_only=True)
class Decision:
    healthy: bool  # fit for traffic
    may_post: bool  # its ledger may write to the database
    reason: Reason
    writer: str | None  # the region whose member is the writer, as far as this cell knows
    epoch: int  # of the writer's record


@dataclass(frozen=True)
class _Row:
    holds: Callable[[View, ControlRecords], bool]
    healthy: bool
    may_post: bool
    reason: Reason


def _both_fenced(view: View, known: ControlRecords) -> bool:
    """Each fenced the other, which takes a partition and a witness that changed its mind. One has to go on serving."""
    both = known.own.state is known.peer.state is RegionState.FENCED
    return both and known.writer.region == view.region


# The first row that holds decides. Health hangs on the first three only: losing the peer, the witness or the writer
# role never takes traffic away. Everything after them is about the ledger.
TABLE = (
    _Row(_both_fenced, True, False, Reason.BOTH_FENCED),
    _Row(lambda _, known: known.own.state is RegionState.FENCED, False, False, Reason.FENCED),
    _Row(lambda view, _: view.is_returning, False, False, Reason.RETURNING),
    _Row(lambda _, known: known.writer.region is None, True, False, Reason.WRITER_DISPUTED),
    _Row(lambda view, known: known.writer.region != view.region, True, False, Reason.READER),
    _Row(lambda _, known: known.own.state is RegionState.UNKNOWN, True, False, Reason.STATE_UNKNOWN),
    _Row(lambda view, _: view.witness is Witness.DOWN, True, False, Reason.WITNESS_DOWN),
    _Row(lambda view, _: view.peer is not None, True, True, Reason.CONFIRMED),
    _Row(lambda view, _: view.witness is Witness.SILENT, True, False, Reason.NO_WORD),
    _Row(lambda _, known: known.peer.state is RegionState.FENCED, True, True, Reason.PEER_FENCED),
    _Row(lambda view, _: view.is_cut_off, True, False, Reason.CUT_OFF),
    _Row(lambda *_: True, True, True, Reason.VOUCHED),
)


def decide(view: View) -> Decision:
    """What a cell that sees `view` does."""
    known = view.records
    if known is None:
        return Decision(healthy=False, may_post=False, reason=Reason.JOURNAL_UNAVAILABLE, writer=None, epoch=0)
    row = next(row for row in TABLE if row.holds(view, known))
    return Decision(
        healthy=row.healthy,
        may_post=row.may_post,
        reason=row.reason,
        writer=known.writer.region,
        epoch=known.writer.epoch,
    )


def remember(view: View, known: ControlRecords) -> Memory:
    """What a cell keeps of `view`; `known` are its records."""
    old = view.memory
    revision = old.revision + 1 if old else 1
    if view.peer is not None:
        return Memory(known=known, vouched_at=view.at, seen_at=view.at, revision=revision)
    if old is None:
        return Memory(known=known, vouched_at=None, seen_at=view.at, revision=revision)
    was_away = view.at - old.seen_at > view.times.away
    kept = replace(old, known=known, seen_at=view.at, back_at=view.at if was_away else old.back_at, revision=revision)
    if view.is_cut_off or view.witness is Witness.DOWN:
        return replace(kept, vouched_at=None)
    return replace(kept, vouched_at=view.at) if view.witness is Witness.UP else kept


def may_take_over(view: View, decision: Decision) -> bool:
    """Whether this cell may fence its silent peer by itself: it is well, and nobody can have taken over from *it*."""
    return decision.healthy and view.witness is Witness.UP and not view.is_cut_off


def may_name_itself_writer(*, seconds_known: float, seconds_down: float, times: Times) -> bool:
    """Whether a region that fenced its peer may put its own name into the writer's record.

    `seconds_known`: how long the fence has stood in the peer's own replica, 0 if it could not be written there.
    `seconds_down`: how long, *since the fence*, the witness has been asked every few seconds and has said nothing but
    "down" of the peer; 0 again after any other answer and after a pause in asking.
    """
    return seconds_known >= times.decision + times.statement or seconds_down >= times.settle
