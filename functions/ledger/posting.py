"""Posts batches of the journal's stream: which records are payments, and whether a batch is posted, skipped or
retried."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from common.control.observe import ControlObserver, Observation
from common.payment_record import JournalEntry, JournalItemError, payment_key
from common.table_replica import ReplicaUnavailable

from .database import CHUNK, Database, DatabaseUnavailable
from .events import Events, EventsUnavailable, Poison, PoisonQueue, PoisonQueueUnavailable

_PAYMENTS = payment_key("")
_WRITTEN = ("INSERT", "MODIFY")


@dataclass(frozen=True, kw_only=True)
class StreamRecord:
    """A payment that was written to the replica, by this region or by the table's replication.

    `entry` is None if the item is not a valid payment, for the reason in `problem`. With an entry, `problem` is set if
    the journal replaced other content, so that the ledger may hold the replaced one.
    """

    sequence: str  # the record's sequence number in its shard, Lambda's item identifier
    payment_id: str
    entry: JournalEntry | None
    problem: str | None = None


def is_stream_event(event: Mapping[str, Any]) -> bool:
    """Whether `event` is a batch of a DynamoDB stream."""
    records = event.get("Records")
    return isinstance(records, list) and all(record.get("eventSource") == "aws:dynamodb" for record in records)


def stream_records(records: Iterable[Mapping[str, Any]]) -> list[StreamRecord]:
    """The payments among `records`, in order, without control records, memories and deletions."""
    found = []
    for record in records:
        change = record["dynamodb"]
        key = change["Keys"]["pk"]["S"]
        if record["eventName"] in _WRITTEN and key.startswith(_PAYMENTS):
            found.append(_stream_record(change, key.removeprefix(_PAYMENTS)))
    return found


def _stream_record(change: Mapping[str, Any], payment_id: str) -> StreamRecord:
    sequence, new, old = change["SequenceNumber"], change.get("NewImage", {}), change.get("OldImage")
    try:
        entry = JournalEntry.from_item(new)
    except JournalItemError as problem:
        return StreamRecord(sequence=sequence, payment_id=payment_id, entry=None, problem=str(problem))
    replaced = old is not None and old.get("content_hash") != new.get("content_hash")
    problem_text = "the journal replaced the content of this payment; compare it with the ledger's row"
    return StreamRecord(
        sequence=sequence, payment_id=payment_id, entry=entry, problem=problem_text if replaced else None
    )


class Paused(Exception):
    """This region may not post now; the message is the control rules' reason."""


class BatchStatus(StrEnum):
    """What was done with a batch."""

    POSTED = "posted"  # all that can be posted
    SKIPPED = "skipped"  # the other region is the writer; it posts or replays them
    WAITING = "waiting"  # this region is the writer and may not post now; the stream retries
    FAILED = "failed"  # a dependency failed; the stream retries the rest


@dataclass(kw_only=True)
class Outcome:
    """The result of a batch. `retry_from`: sequence number of the first record that the stream has to retry, with all
    after it; None if none."""

    status: BatchStatus
    reason: str
    epoch: int
    records: int
    posted: int = 0  # sent to the database, including those it already had
    poisoned: list[str] = field(default_factory=list)  # payment ids
    fallbacks: int = 0  # events that went to the own bus instead of the endpoint
    retry_from: str | None = None


class Ledger:
    """Posts payments for one region."""

    def __init__(
        self,
        *,
        region: str,
        peer_region: str,
        control: ControlObserver,
        database: Database,
        events: Events,
        poison: PoisonQueue,
    ) -> None:
        self._region = region
        self._peer_region = peer_region
        self._control = control
        self._database = database
        self._events = events
        self._poison = poison

    def process(self, records: Sequence[StreamRecord]) -> Outcome:
        """Post `records` if this region may post; otherwise skip them or have them retried."""
        observed = self._control.observe()
        if observed.decision.writer == self._peer_region and self._is_skipped_safely():
            return _outcome(BatchStatus.SKIPPED, observed, records)
        if not observed.decision.may_post:
            # The observation may be older than these records, and this region may have become the writer since.
            observed = self._control.observe(fresh=True)
        outcome = _outcome(BatchStatus.POSTED, observed, records)
        if not observed.decision.may_post:
            # Skipping needs a read after the records arrived, and that read has just found that the peer is not the
            # writer.
            outcome.status, outcome.retry_from = BatchStatus.WAITING, records[0].sequence if records else None
            return outcome
        for start in range(0, len(records), CHUNK):
            part = records[start : start + CHUNK]
            try:
                self._post(part, outcome)
            except (Paused, DatabaseUnavailable, EventsUnavailable, PoisonQueueUnavailable) as problem:
                outcome.status = BatchStatus.WAITING if isinstance(problem, Paused) else BatchStatus.FAILED
                outcome.reason = f"{type(problem).__name__}: {problem}"
                outcome.retry_from = part[0].sequence
                break
        return outcome

    def permit(self) -> int:
        """The writer's epoch, if this region may post now. Raises Paused."""
        decision = self._control.observe().decision
        if not decision.may_post:
            raise Paused(decision.reason.value)
        return decision.epoch

    def post(self, entries: Sequence[JournalEntry]) -> dict[str, str]:
        """Post at most CHUNK entries. Returns the reason by payment id for those that can never be posted. Raises
        Paused and DatabaseUnavailable."""
        return self._database.post(entries, region=self._region, permit=self.permit) if entries else {}

    def report(self, payment_id: str, reason: str, sequence: str | None = None) -> None:
        """Send a dead letter about an entry. Raises PoisonQueueUnavailable."""
        self._poison.put(Poison(payment_id=payment_id, reason=reason, found_in=self._region, sequence=sequence))

    def _post(self, part: Sequence[StreamRecord], outcome: Outcome) -> None:
        last = {record.payment_id: record.entry for record in part if record.entry}
        rejected = self.post(list(last.values()))
        posted = [entry for payment_id, entry in last.items() if payment_id not in rejected]
        outcome.fallbacks += self._events.announce(posted)
        for record in part:
            if reason := rejected.get(record.payment_id) or record.problem:
                self.report(record.payment_id, reason, record.sequence)
                outcome.poisoned.append(record.payment_id)
        outcome.posted += len(posted)

    def _is_skipped_safely(self) -> bool:
        """Whether the own replica names the peer as the writer, read after the records arrived.

        The stream never delivers a skipped record again. A change of the writer to this region is written to this
        replica and followed by a replay of the journal: if this read still finds the peer, the replay finds these
        records.
        """
        try:
            return self._control.writer_in_own_replica() == self._peer_region
        except ReplicaUnavailable:
            return False


def _outcome(status: BatchStatus, observed: Observation, records: Sequence[StreamRecord]) -> Outcome:
    decision = observed.decision
    return Outcome(status=status, reason=decision.reason.value, epoch=decision.epoch, records=len(records))
