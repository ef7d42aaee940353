"""The records of the table's stream, as far as they are payments."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from common.payment_record import JournalEntry, JournalItemError, payment_key

_PAYMENTS = payment_key("")
_WRITTEN = ("INSERT", "MODIFY")


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A payment that was written to the replica: by this region, or by the table's replication.

    `entry` is None if the item is no payment after all; `problem` then says why. With an entry, `problem` says that the
    journal put other content over what it had, so that the ledger may hold the replaced one.
    """

    sequence: str  # the record's number in its shard: what Lambda calls an item identifier
    payment_id: str
    entry: JournalEntry | None
    problem: str | None = None


def is_stream_event(event: Mapping[str, Any]) -> bool:
    """Whether Lambda handed us a batch of a DynamoDB stream."""
    records = event.get("Records")
    return isinstance(records, list) and all(record.get("eventSource") == "aws:dynamodb" for record in records)


def arrivals(records: Iterable[Mapping[str, Any]]) -> list[Arrival]:
    """The payments among `records`, in order; control records, memories and deletions are none."""
    found = []
    for record in records:
        change = record["dynamodb"]
        key = change["Keys"]["pk"]["S"]
        if record["eventName"] in _WRITTEN and key.startswith(_PAYMENTS):
            found.append(_arrival(change, key.removeprefix(_PAYMENTS)))
    return found


def _arrival(change: Mapping[str, Any], payment_id: str) -> Arrival:
    sequence, new, old = change["SequenceNumber"], change.get("NewImage", {}), change.get("OldImage")
    try:
        entry = JournalEntry.from_item(new)
    except JournalItemError as problem:
        return Arrival(sequence=sequence, payment_id=payment_id, entry=None, problem=str(problem))
    replaced = old is not None and old.get("content_hash") != new.get("content_hash")
    problem_text = "the journal put other content over this payment; compare it with the ledger's row"
    return Arrival(sequence=sequence, payment_id=payment_id, entry=entry, problem=problem_text if replaced else None)
