"""Payments as items of the journal, written directly to its table: many, fast, and without the API."""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

_BATCH = 25  # items of a BatchWriteItem
_CONTENT = {
    "amount": "12.50",
    "currency": "EUR",
    "debtor": "DE89370400440532013000",
    "creditor": "DE89370400440532013000",
}

Item = dict[str, dict[str, str]]


def item(number: int, *, run: str, region: str, accepted_at: datetime) -> Item:
    """The item of a payment, as the payments function writes it. Numbers of a run are different payments."""
    content = {"payment_id": f"{run}-{number:08d}", **_CONTENT, "reference": run}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    moment = accepted_at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    texts = {
        "pk": f"payment#{content.pop('payment_id')}",
        "kind": "payment",
        **content,
        "content_hash": hashlib.sha256(canonical.encode()).hexdigest(),
        "accepted_at": moment,
        "accepted_in": region,
    }
    return {name: {"S": text} for name, text in texts.items()}


def items(count: int, *, run: str, region: str) -> Iterator[Item]:
    """`count` payments that are accepted now."""
    return (item(number, run=run, region=region, accepted_at=datetime.now(UTC)) for number in range(count))


def write(client: Any, table: str, content: Iterable[Mapping[str, Any]]) -> float:
    """Put the items by BatchWriteItem; returns the seconds that took."""
    began = time.monotonic()
    left = iter(content)
    while part := list(islice(left, _BATCH)):
        requests: Sequence[Any] = [{"PutRequest": {"Item": each}} for each in part]
        while requests:
            requests = client.batch_write_item(RequestItems={table: requests})["UnprocessedItems"].get(table, [])
    return time.monotonic() - began
