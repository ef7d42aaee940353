"""The journal: each payment once, in the global table's replicas of two regions.

How a payment gets in. Both regions write the *arbiter* region's replica first, on condition that its id is free there;
so of two payments with one id, sent to both regions at once, one gets in. Then the very same item is written to the
other replica. An id that is taken by the same content is a repeated payment, or the table's own replication that was
quicker; the stored item is adopted.

If the peer region is silent, a payment is kept in the own region alone. While that lasts an id can be taken in each
region by different contents: the price of going on alone. Later writes must not make it worse. Replication keeps the
*latest* write, so when our fresh write in the first replica turns out to have met an older item in the second, that
older item is put over ours: what was accepted first stays, whichever way it is replicated.
"""

from dataclasses import dataclass
from enum import StrEnum

from common.circuit_breaker import Breaker
from common.payment_record import JournalEntry, payment_key
from common.table_replica import Item, Replica, ReplicaUnavailable


class Durability(StrEnum):
    """Where a payment is known to be."""

    BOTH_REGIONS = "both-regions"
    ONE_REGION = "one-region"


@dataclass(frozen=True, kw_only=True)
class Held:
    """A payment the journal holds."""

    entry: JournalEntry  # as stored: what was accepted first
    durability: Durability  # confirmed by this call
    repeated: bool  # the journal had it before this call
    peer_silence: str | None = None  # why the peer did not confirm, if it did not


class JournalUnavailable(Exception):
    """The payment is not in as many regions as it must be; sending it again completes it."""

    def __init__(self, silence: ReplicaUnavailable) -> None:
        super().__init__(f"the journal in {silence.region} is unavailable: {silence.reason}")
        self.region = silence.region
        self.reason = silence.reason


class PaymentConflict(Exception):
    """The id is taken by a payment with other content.

    `split`: the regions held different contents under this id, which takes a time when they could not reach each other.
    """

    def __init__(self, payment_id: str, *, split: bool = False) -> None:
        super().__init__(f"payment {payment_id} was accepted with other content")
        self.split = split


class Journal:
    """Both replicas, seen from one region."""

    def __init__(
        self, *, local: Replica, peer: Replica, arbiter_region: str, breaker: Breaker, require_both: bool
    ) -> None:
        self._local = local
        self._peer = peer
        self._peer_arbitrates = arbiter_region == peer.region
        self._breaker = breaker
        self._require_both = require_both

    def find(self, payment_id: str) -> JournalEntry | None:
        """The payment in the own region's replica. Raises JournalUnavailable."""
        try:
            item = self._local.read(payment_key(payment_id))
        except ReplicaUnavailable as silence:
            raise JournalUnavailable(silence) from None
        return JournalEntry.from_item(item) if item else None

    def add(self, entry: JournalEntry) -> Held:
        """Keep `entry`, or find that it is kept already. Raises PaymentConflict and JournalUnavailable."""
        there: JournalEntry | ReplicaUnavailable
        if self._peer_arbitrates:
            there = self._put_there(entry)
            if isinstance(there, JournalEntry):
                _refuse_other_content(entry, there)
            here = self._put_here(there if isinstance(there, JournalEntry) else entry)
        else:
            here = self._put_here(entry)
            _refuse_other_content(entry, here)
            there = self._put_there(here)

        if isinstance(there, ReplicaUnavailable):
            _refuse_other_content(entry, here)
            durability, silence, kept = Durability.ONE_REGION, there.reason, here
        else:
            durability, silence = Durability.BOTH_REGIONS, None
            kept = self._settle(entry, here, there)
        return Held(entry=kept, durability=durability, repeated=kept != entry, peer_silence=silence)

    def _put_here(self, entry: JournalEntry) -> JournalEntry:
        """The entry that the own region holds now: this one, or the one that was there."""
        try:
            return _held_by(entry, self._local.add(entry.to_item()))
        except ReplicaUnavailable as silence:
            raise JournalUnavailable(silence) from None

    def _put_there(self, entry: JournalEntry) -> JournalEntry | ReplicaUnavailable:
        """The entry that the peer holds now, or its silence where that is allowed."""
        try:
            if not self._breaker.permits():
                raise ReplicaUnavailable(self._peer.region, "NotAsked")
            try:
                stored = self._peer.add(entry.to_item())
            except ReplicaUnavailable:
                self._breaker.failed()
                raise
        except ReplicaUnavailable as silence:
            if self._require_both:
                raise JournalUnavailable(silence) from None
            return silence
        self._breaker.succeeded()
        return _held_by(entry, stored)

    def _settle(self, entry: JournalEntry, here: JournalEntry, there: JournalEntry) -> JournalEntry:
        """The entry that stays when both regions have answered. Raises PaymentConflict and JournalUnavailable."""
        first, second = (there, here) if self._peer_arbitrates else (here, there)
        if first == second:
            return first
        if first == entry:
            self._yield_to(second, entry)
            first = second
        # Else both were there before this call, each accepted while the regions could not reach each other.
        _refuse_other_content(entry, second, split=True)
        return first

    def _yield_to(self, older: JournalEntry, ours: JournalEntry) -> None:
        """Put the older item over ours in the replica that was written first."""
        arbiter = self._peer if self._peer_arbitrates else self._local
        item = ours.to_item()
        ours_still = {name: item[name] for name in ("content_hash", "accepted_at", "accepted_in")}
        try:
            arbiter.exchange(older.to_item(), unless_changed=ours_still)
        except ReplicaUnavailable as silence:
            raise JournalUnavailable(silence) from None


def _held_by(entry: JournalEntry, stored: Item | None) -> JournalEntry:
    return JournalEntry.from_item(stored) if stored else entry


def _refuse_other_content(entry: JournalEntry, stored: JournalEntry, *, split: bool = False) -> None:
    if stored.content_hash != entry.content_hash:
        raise PaymentConflict(entry.payment_id, split=split)
