"""Rules for when a cell may serve traffic and when its ledger may post. Pure functions.

Their input: the records of the cell's own replica, those of its peer if the peer answers, the cell's memory, and the
witness's answer about its *own* region. Why they never let two regions post at once:
docs/decisions/0006-who-may-write-the-ledger.md. Times are Unix seconds by the cell's own clock.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from .records import ControlRecords, RegionState, newest


class Witness(StrEnum):
    """The health of a region as Route 53's checkers outside both regions see it; SILENT if the query got no answer."""

    UP = "up"
    DOWN = "down"
    SILENT = "silent"


class Vouched(StrEnum):
    """An operator's confirmation in a forced failover: that the peer is down, and stays down until the writer moved."""

    NOTHING = "nothing"
    PEER_DOWN = "peer-down"


@dataclass(frozen=True, kw_only=True)
class Times:
    """The durations of the rules, in seconds."""

    lease: float = 15.0  # validity of one confirmation, by the peer or by the witness
    fenced_lease: float = 300.0  # the same once the peer's fence binds it: only an operator can make it take over
    away: float = 30.0  # a cell without an observation for this long counts as returning from an outage
    grace: float = 30.0  # how long a returning cell waits for its peer before it relies on its memory
    decision: float = 2.0  # maximum age of a decision when a statement is sent on it
    statement: float = 3.0  # timeout of a statement
    witness_ttl: float = 10.0  # TTL of the witness record: how long resolvers may cache an answer

    @property
    def settle(self) -> float:
        """Seconds of uninterrupted "down" from the witness after which that region's ledger has certainly stopped.

        The first and the last "down" may each come from a resolver's cache (`witness_ttl`), in either region. A region
        that read "up" before and after it has observed within every `lease`. Then its last decision and statement
        expire.
        """
        return self._settle(self.lease)

    @property
    def fenced_settle(self) -> float:
        """Seconds of an outage after which a region with the long lease has certainly stopped."""
        return self._settle(self.fenced_lease)

    def _settle(self, lease: float) -> float:
        return 2 * self.witness_ttl + lease + self.decision + self.statement


@dataclass(frozen=True, kw_only=True)
class Memory:
    """The state that a cell keeps between observations, in its replica, shared by all of its functions."""

    known: ControlRecords
    vouched_at: float | None  # last confirmation in an unbroken chain since the peer answered; None once broken
    seen_at: float  # last observation
    back_at: float | None = None  # when the cell returned from an outage; None once the peer has answered
    checked_at: float | None = None  # last call of one of Route 53's health checkers that was answered "ok"
    revision: int = 0


@dataclass(frozen=True, kw_only=True)
class View:
    """The input of the rules at one moment."""

    region: str
    at: float
    own: ControlRecords | None  # None: the own replica does not answer
    peer: ControlRecords | None  # the peer's replica, `own` still this cell; None: it does not answer
    memory: Memory | None  # None: no observation was stored yet
    witness: Witness
    checked_at: float | None = None  # as in `Memory`, as far as the observing process has not stored it yet
    times: Times = Times()

    @cached_property
    def records(self) -> ControlRecords | None:
        """The newest version of each record, of both replicas and the memory; None if the own replica does not
        answer."""
        remembered = self.memory.known if self.memory else None
        return newest(self.own, self.peer, remembered) if self.own else None

    @property
    def is_returning(self) -> bool:
        """Whether the cell returns from an outage that the witness noticed, and `grace` has not passed yet."""
        if self.peer or self.memory is None or self.witness is Witness.UP:
            return False
        if self.at - self.memory.seen_at > self.times.away:
            return True
        return self.memory.back_at is not None and self.at - self.memory.back_at < self.times.grace

    @property
    def last_check(self) -> float | None:
        """The time at which any process of the cell last answered "ok" to one of Route 53's health checkers."""
        moments = [self.checked_at, self.memory.checked_at if self.memory else None]
        return max((moment for moment in moments if moment is not None), default=None)

    @property
    def is_checked(self) -> bool:
        """Whether Route 53's health checkers reach this region: evidence of its own, where the witness's "up" may be
        the last answer that a cut-off resolver keeps."""
        return self.last_check is not None and self.at - self.last_check <= self.times.lease

    @property
    def peer_fenced(self) -> bool:
        """Whether the newest record of the peer is a fence, so that it takes over only by an operator's decision."""
        return self.records is not None and self.records.peer.state is RegionState.FENCED

    @property
    def fence_binds(self) -> bool:
        """Whether this region claimed the writer after it fenced the peer. A claim waits until the peer holds the fence
        or has certainly lost its chain, so that the peer cannot take over by itself. After a fence alone it can: it may
        not have received it, and be well."""
        if self.records is None or not self.peer_fenced:
            return False
        writer, peer = self.records.writer, self.records.peer
        return writer.region == self.region and writer.since > peer.since

    @property
    def vouched_at(self) -> float | None:
        """The last confirmation in an unbroken chain; None once broken. A claim of the writer after a fence is one:
        the peer could not post or take over by itself any more."""
        moments = [self.memory.vouched_at if self.memory else None]
        if self.fence_binds and self.records:
            moments.append(_unix_time(self.records.writer.since))
        return max((moment for moment in moments if moment is not None), default=None)

    @property
    def is_cut_off(self) -> bool:
        """Whether the peer is silent and the chain of confirmations is broken or older than its lease."""
        lease = self.times.fenced_lease if self.fence_binds else self.times.lease
        return self.peer is None and (self.vouched_at is None or self.at - self.vouched_at > lease)

    @property
    def may_be_fenced(self) -> bool:
        """Whether this region is fenced, or may be without having noticed: its peer then posts on the long lease."""
        return self.records is None or self.records.own.state is RegionState.FENCED or self.is_cut_off


def _unix_time(since: str) -> float | None:
    """Of a record's ISO 8601 time; None if it is malformed."""
    try:
        return datetime.fromisoformat(since).timestamp()
    except ValueError:
        return None


class Reason(StrEnum):
    """Codes of the rows of the decision table."""

    JOURNAL_UNAVAILABLE = "journal-unavailable"
    BOTH_FENCED = "both-regions-fenced"
    FENCED = "fenced"
    RETURNING = "returning"
    READER = "reader"
    WRITER_DISPUTED = "writer-unknown"
    STATE_UNKNOWN = "control-record-invalid"
    WITNESS_DOWN = "witness-down"
    CONFIRMED = "peer-confirmed"
    PEER_BOUND = "peer-fenced"
    PEER_AND_WITNESS_SILENT = "peer-and-witness-silent"
    UNCHECKED = "health-checkers-silent"
    CUT_OFF = "peer-may-have-taken-over"
    WITNESS_VOUCHED = "witness-vouched"

    @property
    def explanation(self) -> str:
        """The reason as a sentence without a full stop."""
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
    Reason.PEER_BOUND: "the peer is silent, and fenced since before this region claimed the writer",
    Reason.PEER_AND_WITNESS_SILENT: "neither the peer nor the witness answers",
    Reason.UNCHECKED: "the witness reports this region as up, but no health checker of Route 53 reaches it",
    Reason.CUT_OFF: "the peer is silent and may have taken over since its last answer",
    Reason.WITNESS_VOUCHED: "the peer is silent, and witness and health checkers have confirmed this region since",
}


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The permissions of the cell at this moment, with the reason."""

    healthy: bool  # may serve traffic
    may_post: bool  # its ledger may write to the database
    reason: Reason
    writer: str | None  # the region whose member is the writer, by the newest record
    epoch: int  # of the writer's record


@dataclass(frozen=True)
class _Row:
    holds: Callable[[View, ControlRecords], bool]
    healthy: bool
    may_post: bool
    reason: Reason


def _both_fenced(view: View, known: ControlRecords) -> bool:
    """Each region fenced the other, which takes a partition and a witness that changed its answer. One has to serve."""
    both = known.own.state is known.peer.state is RegionState.FENCED
    return both and known.writer.region == view.region


# The first row that holds decides. Health depends on the first three only: losing the peer, the witness or the writer
# role never takes traffic away. All rows after them concern the ledger.
TABLE = (
    _Row(_both_fenced, True, False, Reason.BOTH_FENCED),
    _Row(lambda _, known: known.own.state is RegionState.FENCED, False, False, Reason.FENCED),
    _Row(lambda view, _: view.is_returning, False, False, Reason.RETURNING),
    _Row(lambda _, known: known.writer.region is None, True, False, Reason.WRITER_DISPUTED),
    _Row(lambda view, known: known.writer.region != view.region, True, False, Reason.READER),
    _Row(lambda _, known: known.own.state is RegionState.UNKNOWN, True, False, Reason.STATE_UNKNOWN),
    # A peer that answers has not taken over, whatever the witness reports: it fences in its own replica first.
    _Row(lambda view, _: view.peer is not None, True, True, Reason.CONFIRMED),
    _Row(lambda view, _: view.fence_binds and not view.is_cut_off, True, True, Reason.PEER_BOUND),
    _Row(lambda view, _: view.witness is Witness.DOWN, True, False, Reason.WITNESS_DOWN),
    _Row(lambda view, _: view.witness is Witness.SILENT, True, False, Reason.PEER_AND_WITNESS_SILENT),
    _Row(lambda view, _: view.is_cut_off, True, False, Reason.CUT_OFF),
    _Row(lambda view, _: not view.is_checked, True, False, Reason.UNCHECKED),
    _Row(lambda *_: True, True, True, Reason.WITNESS_VOUCHED),
)


def decide(view: View) -> Decision:
    """The decision for `view`: the first row of TABLE that holds."""
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
    """The memory after `view`; `known` are its newest records."""
    old = view.memory or Memory(known=known, vouched_at=None, seen_at=view.at)
    seen = replace(old, known=known, seen_at=view.at, checked_at=view.last_check, revision=old.revision + 1)
    if view.peer is not None:
        return replace(seen, vouched_at=view.at, back_at=None)
    was_away = view.at - old.seen_at > view.times.away
    return replace(seen, vouched_at=_chain(view), back_at=view.at if was_away else old.back_at)


def _chain(view: View) -> float | None:
    """The last confirmation after `view` of a silent peer; None if the chain is broken.

    A confirmation is as old as the last call of a health checker. Such calls count without the witness, whose name may
    be unresolvable for minutes. A "down" ends the chain at once, because the peer takes over after one; a peer whose
    fence binds it cannot, until an operator overrides that.
    """
    if view.is_cut_off or (view.witness is Witness.DOWN and not view.fence_binds):
        return None
    vouched_at = view.vouched_at
    if vouched_at is None or view.last_check is None or view.witness is Witness.DOWN:
        return vouched_at
    return max(vouched_at, view.last_check)


def may_take_over(view: View, decision: Decision) -> bool:
    """Whether this cell may fence its silent peer automatically: it is healthy, and witness and health checkers confirm
    that. Whether the peer may have taken over before decides only how long the claim has to wait."""
    return decision.healthy and view.witness is Witness.UP and view.is_checked


def may_claim_writer(
    *,
    seconds_fenced: float,
    seconds_peer_fenced: float,
    seconds_down: float,
    may_be_fenced: bool,
    vouched: Vouched,
    times: Times,
) -> bool:
    """Whether a region that fenced its peer may set itself as the writer.

    `seconds_fenced`: age of the fence.
    `seconds_peer_fenced`: age of the fence in the peer's own replica, 0 if it could not be written there.
    `seconds_down`: for how long, *since the fence*, the witness has been queried every few seconds and has answered
    only "down" for the peer; 0 again after any other answer, after a gap between queries, and while no health checker
    reaches this region: its resolver may then keep an old answer.
    `may_be_fenced`: as `View` has it before the fence (and before an operator overrode the own one).
    `vouched`: what an operator confirmed in place of the witness.
    """
    if seconds_peer_fenced >= times.decision + times.statement:
        return True
    settle = times.fenced_settle if may_be_fenced else times.settle
    return (seconds_down if vouched is Vouched.NOTHING else seconds_fenced) >= settle
