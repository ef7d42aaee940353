"""The payment journal: each payment once, in the DynamoDB global table's replicas of two regions.

Both regions write the *arbiter* region's replica first, on the condition that the id is free there; so of two payments
with one id, sent to both regions at once, only one is accepted. Then the same item is written to the other replica. If
an id is taken by the same content, it is a repeated payment, or the table's own replication was faster; the stored item
is adopted.

If the peer region does not answer, a payment is stored in the own region alone. Meanwhile each region can accept
different content under one id: the price of availability. Later writes must not make it worse. Replication keeps the
*latest* write, so if our new write in the first replica turns out to conflict with an older item in the second, the
older item replaces ours: the payment that was accepted first stays, in whichever direction it is replicated.
"""

from dataclasses import dataclass
from enum import StrEnum

from common.circuit_breaker import Breaker
from common.payment_record import JournalEntry, payment_key
from common.table_replica import Item, Replica, ReplicaUnavailable


class Durability(StrEnum):
    """The regions that are known to hold a payment."""

    BOTH_REGIONS = "both-regions"
    ONE_REGION = "one-region"


@dataclass(frozen=True, kw_only=True)
class StoredPayment:
    """A payment in the journal."""

    entry: JournalEntry  # as stored: the first accepted one
    durability: Durability  # confirmed by this call
    repeated: bool  # the journal held it before this call
    peer_error: str | None = None  # why the peer did not confirm, if it did not


class JournalUnavailable(Exception):
    """The payment is not stored in as many regions as required; sending it again completes it."""

    def __init__(self, error: ReplicaUnavailable) -> None:
        super().__init__(f"the journal in {error.region} is unavailable: {error.reason}")
        self.region = error.region
        self.reason = error.reason


class PaymentConflict(Exception):
    """The id is taken by a payment with other content.

    `split`: the regions held different contents under this id, which can happen only while they are partitioned.
    """

    def __init__(self, payment_id: str, *, split: bool = False) -> None:
        super().__init__(f"payment {payment_id} was accepted with other content")
        self.split = split


class Journal:
    """Both replicas, from one region's side. `require_both`: a payment needs both regions."""

    def __init__(
        self, *, local: Replica, peer: Replica, arbiter_region: str, breaker: Breaker, require_both: bool
    ) -> None:
        self._local = local
        self._peer = peer
        self._peer_arbitrates = arbiter_region == peer.region
        self._breaker = breaker
        self._require_both = require_both

    def find(self, payment_id: str) -> JournalEntry | None:
        """The payment in the own region's replica, None if absent. Raises JournalUnavailable."""
        try:
            item = self._local.read(payment_key(payment_id))
        except ReplicaUnavailable as error:
            raise JournalUnavailable(error) from None
        return JournalEntry.from_item(item) if item else None

    def add(self, entry: JournalEntry) -> StoredPayment:
        """Store `entry` unless it is stored already. Raises PaymentConflict and JournalUnavailable."""
        at_peer: JournalEntry | ReplicaUnavailable
        if self._peer_arbitrates:
            at_peer = self._put_at_peer(entry)
            if isinstance(at_peer, JournalEntry):
                _reject_other_content(entry, at_peer)
            local = self._put_locally(at_peer if isinstance(at_peer, JournalEntry) else entry)
        else:
            local = self._put_locally(entry)
            _reject_other_content(entry, local)
            at_peer = self._put_at_peer(local)

        if isinstance(at_peer, ReplicaUnavailable):
            _reject_other_content(entry, local)
            durability, peer_error, kept = Durability.ONE_REGION, at_peer.reason, local
        else:
            durability, peer_error = Durability.BOTH_REGIONS, None
            kept = self._reconcile(entry, local, at_peer)
        return StoredPayment(entry=kept, durability=durability, repeated=kept != entry, peer_error=peer_error)

    def _put_locally(self, entry: JournalEntry) -> JournalEntry:
        """The entry that the own region holds afterwards: this one, or the existing one."""
        try:
            return _stored_or(entry, self._local.add(entry.to_item()))
        except ReplicaUnavailable as error:
            raise JournalUnavailable(error) from None

    def _put_at_peer(self, entry: JournalEntry) -> JournalEntry | ReplicaUnavailable:
        """The entry that the peer holds afterwards, or its error where one region is enough."""
        try:
            if not self._breaker.permits():
                raise ReplicaUnavailable(self._peer.region, "NotAsked")
            try:
                stored = self._peer.add(entry.to_item())
            except ReplicaUnavailable:
                self._breaker.failed()
                raise
        except ReplicaUnavailable as error:
            if self._require_both:
                raise JournalUnavailable(error) from None
            return error
        self._breaker.succeeded()
        return _stored_or(entry, stored)

    def _reconcile(self, entry: JournalEntry, local: JournalEntry, at_peer: JournalEntry) -> JournalEntry:
        """The entry that stays when both regions have answered. Raises PaymentConflict and JournalUnavailable."""
        first, second = (at_peer, local) if self._peer_arbitrates else (local, at_peer)
        if first == second:
            return first
        if first == entry:
            self._replace_by(second, entry)
            first = second
        # Otherwise both existed before this call, each accepted during a partition.
        _reject_other_content(entry, second, split=True)
        return first

    def _replace_by(self, older: JournalEntry, ours: JournalEntry) -> None:
        """Replace our item by the older one in the replica that was written first."""
        arbiter = self._peer if self._peer_arbitrates else self._local
        item = ours.to_item()
        unchanged = {name: item[name] for name in ("content_hash", "accepted_at", "accepted_in")}
        try:
            arbiter.exchange(older.to_item(), unless_changed=unchanged)
        except ReplicaUnavailable as error:
            raise JournalUnavailable(error) from None


def _stored_or(entry: JournalEntry, stored: Item | None) -> JournalEntry:
    return JournalEntry.from_item(stored) if stored else entry


def _reject_other_content(entry: JournalEntry, stored: JournalEntry, *, split: bool = False) -> None:
    if stored.content_hash != entry.content_hash:
        raise PaymentConflict(entry.payment_id, split=split)
