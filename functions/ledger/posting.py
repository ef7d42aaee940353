"""Posts batches of the journal's stream: which records are payments, and whether a batch is posted, recorded in the
backlog or retried."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from common.backlog import Backlog, BacklogUnavailable
from common.clock import Pace, timestamp
from common.control.observe import ControlObserver
from common.payment_record import JournalEntry, JournalItemError, payment_key

from .database import Database, DatabaseUnavailable, Stored, chunks
from .events import Poison, PoisonQueue, PoisonQueueUnavailable

_PAYMENTS = payment_key("")
_WRITTEN = ("INSERT", "MODIFY")

RETRY_SECONDS = 300.0
"""AWS seconds. A batch that cannot be posted is given back to the stream until its first record is this old. Longer
would keep what is behind it from the backlog, where a failover finds it."""

CLAIM_MARGIN_SECONDS = 60.0
"""AWS seconds after a claim of the writer for which the previous writer may still have taken payments from its stream:
above the lease, the life of a decision, and the difference of two clocks."""


@dataclass(frozen=True, kw_only=True)
class StreamRecord:
    """A payment that was written to the replica at `arrived`, by this region or by the table's replication.

    `entry` is None if the item is not a valid payment, for the reason in `problem`. With an entry, `problem` is set if
    the journal replaced other content, so that the ledger may hold the replaced one.
    """

    sequence: str  # the record's sequence number in its shard, Lambda's item identifier
    payment_id: str
    arrived: datetime
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
    new, old = change.get("NewImage", {}), change.get("OldImage")
    entry, problem = None, None
    try:
        entry = JournalEntry.from_item(new)
    except JournalItemError as error:
        problem = str(error)
    else:
        if old is not None and old.get("content_hash") != new.get("content_hash"):
            problem = "the journal replaced the content of this payment; compare it with the ledger's row"
    return StreamRecord(
        sequence=change["SequenceNumber"],
        payment_id=payment_id,
        arrived=datetime.fromtimestamp(float(change["ApproximateCreationDateTime"]), UTC),
        entry=entry,
        problem=problem,
    )


class Paused(Exception):
    """This region may not post now; the message is the control rules' reason."""


class BatchStatus(StrEnum):
    """The result of posting a batch."""

    POSTED = "posted"  # all that can be posted
    RECORDED = "recorded"  # the other region is the writer; the backlog holds the batch
    WAITING = "waiting"  # this region is the writer and may not post now
    FAILED = "failed"  # a dependency failed


@dataclass(kw_only=True)
class Outcome:
    """The result of a batch. `retry_from`: sequence number of the first record that the stream has to retry, with all
    after it; None if none."""

    status: BatchStatus
    reason: str
    epoch: int
    records: int
    posted: int = 0  # sent to the database, including those it already had
    new: list[JournalEntry] = field(default_factory=list)  # of these, those known to have had no row before
    recorded: int = 0  # in the backlog
    poisoned: list[str] = field(default_factory=list)  # payment ids
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
        poison: PoisonQueue,
        backlog: Backlog,
        pace: Pace,
    ) -> None:
        self._region = region
        self._peer_region = peer_region
        self._control = control
        self._database = database
        self._poison = poison
        self._backlog = backlog
        self._pace = pace

    def process(self, records: Sequence[StreamRecord]) -> Outcome:
        """Post `records` if this region may post, and record in the backlog what leaves the stream without it, and what
        was accepted before this region claimed the writer: the previous writer may have posted that, so that no other
        backlog has it, and lost the rows.

        The stream never delivers a record again that it was not given back, and drops what is given back for a day. So
        a batch is given back only while its first record is young; the reader gives none back.
        """
        observed = self._control.observe()
        decision = observed.decision
        outcome = Outcome(
            status=BatchStatus.POSTED, reason=decision.reason.value, epoch=decision.epoch, records=len(records)
        )
        if not records:
            return outcome
        left = list(records)
        try:
            if decision.may_post:
                self._post(left, outcome)
            elif decision.writer == self._peer_region:
                outcome.status = BatchStatus.RECORDED
            else:
                raise Paused(decision.reason.value)
            self._report_problems(left, outcome)
            if outcome.status is BatchStatus.POSTED and observed.view.records:
                left += self._accepted_before(records, observed.view.records.writer.since)
        except (Paused, DatabaseUnavailable, PoisonQueueUnavailable) as problem:
            outcome.status = BatchStatus.WAITING if isinstance(problem, Paused) else BatchStatus.FAILED
            outcome.reason = str(problem) if isinstance(problem, Paused) else f"{type(problem).__name__}: {problem}"
            if self._pace.since(timestamp(records[0].arrived)) < RETRY_SECONDS:
                outcome.retry_from = records[0].sequence
                return outcome
        self._record(left, outcome)
        return outcome

    def _accepted_before(self, records: Sequence[StreamRecord], claim: str) -> list[StreamRecord]:
        """The payments that were accepted before `claim` (ISO 8601; empty: there was none) or shortly after it."""
        if not claim:
            return []
        between = self._pace.between
        return [
            record
            for record in records
            if record.entry and between(claim, record.entry.accepted_at) < CLAIM_MARGIN_SECONDS
        ]

    def permit(self) -> int:
        """The writer's epoch, if this region may post now. Raises Paused."""
        decision = self._control.observe().decision
        if not decision.may_post:
            raise Paused(decision.reason.value)
        return decision.epoch

    def post(self, entries: Sequence[JournalEntry]) -> Stored:
        """Post at most CHUNK entries. Raises Paused and DatabaseUnavailable."""
        return self._database.post(entries, region=self._region, permit=self.permit) if entries else Stored()

    def report(self, payment_id: str, reason: str, sequence: str | None = None) -> None:
        """Send a dead letter about an entry. Raises PoisonQueueUnavailable."""
        self._poison.put(Poison(payment_id=payment_id, reason=reason, found_in=self._region, sequence=sequence))

    def _post(self, left: list[StreamRecord], outcome: Outcome) -> None:
        """Post the payments of `left`, and remove from it those that are posted or can never be."""
        last = {record.payment_id: record for record in left if record.entry}
        for part in chunks([record.entry for record in last.values() if record.entry]):
            stored = self.post(part)
            for payment_id, reason in stored.rejected.items():
                self.report(payment_id, reason, last[payment_id].sequence)
            outcome.poisoned += stored.rejected
            outcome.posted += len(part) - len(stored.rejected)
            outcome.new += stored.new
            done = {entry.payment_id for entry in part}
            left[:] = [record for record in left if record.payment_id not in done or record.problem]

    def _report_problems(self, left: list[StreamRecord], outcome: Outcome) -> None:
        """Send a dead letter for each item that is no payment, and for each payment whose content was replaced; in
        either role, since only one region's stream may show the replacement. The former leave `left`."""
        for record in [record for record in left if record.problem]:
            self.report(record.payment_id, str(record.problem), record.sequence)
            outcome.poisoned.append(record.payment_id)
            if record.entry is None or outcome.status is BatchStatus.POSTED:
                left.remove(record)

    def _record(self, left: Sequence[StreamRecord], outcome: Outcome) -> None:
        payment_ids = list(dict.fromkeys(record.payment_id for record in left))
        if not payment_ids:
            return
        try:
            self._backlog.record(payment_ids, arrived=left[0].arrived)
        except BacklogUnavailable as problem:
            outcome.status, outcome.reason = BatchStatus.FAILED, f"{type(problem).__name__}: {problem}"
            outcome.retry_from = left[0].sequence
        else:
            outcome.recorded = len(payment_ids)
