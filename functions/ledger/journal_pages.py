"""Reads of a region's whole replica of the journal, for the audit: pages of a parallel Scan, and payments by id.

All reads are strongly consistent. An item that is no payment, such as a control record, is left out.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from common.payment_record import payment_key
from common.table_replica import KEY, Item

PER_BATCH = 100  # API DynamoDB.BatchGetItem
_BATCH_TRIES = 6
_BATCH_PAUSE = 0.05  # seconds before the second try; doubled for each one after it
# Some names are reserved words of DynamoDB, so each has a placeholder.
_ATTRIBUTES = (
    *(KEY, "kind", "amount", "currency", "debtor", "creditor", "reference"),
    *("content_hash", "accepted_at", "accepted_in"),
)
_NAMES = {f"#a{i}": name for i, name in enumerate(_ATTRIBUTES)}


class JournalUnreadable(Exception):
    """A region's replica did not answer, or rejected a read; the message is an error's code or class name."""


class JournalPages:
    """Reads of `table` through `client`, DynamoDB in the replica's region. Thread-safe."""

    def __init__(self, client: Any, *, table: str) -> None:
        self._client = client
        self._table = table

    def page(
        self, *, after: str | None, limit: int, segment: tuple[int, int] | None = None
    ) -> tuple[list[Item], str | None]:
        """The payments among the next `limit` items after the key `after` (None: from the beginning), and the last
        item's key, None at the end. `segment`: its number and how many there are. Raises JournalUnreadable.

        Without a segment, `after` need not be the key of an item: the page then begins at its place in the table.
        """
        part = {} if segment is None else {"Segment": segment[0], "TotalSegments": segment[1]}
        start = {} if after is None else {"ExclusiveStartKey": {KEY: {"S": after}}}
        with _errors():
            page = self._client.scan(
                TableName=self._table,
                Limit=limit,
                ConsistentRead=True,
                ProjectionExpression=", ".join(_NAMES),
                FilterExpression="begins_with(#a0, :payments)",
                ExpressionAttributeNames=_NAMES,
                ExpressionAttributeValues={":payments": {"S": payment_key("")}},
                **part,
                **start,
            )
        last = page.get("LastEvaluatedKey")
        return page["Items"], last[KEY]["S"] if last else None

    def without_entry(self, payment_ids: Sequence[str]) -> set[str]:
        """Those among at most PER_BATCH payments that have no item. Raises JournalUnreadable."""
        left = {payment_key(payment_id): payment_id for payment_id in payment_ids}
        asked: Any = {self._table: self._request(list(left))} if left else {}
        for attempt in range(_BATCH_TRIES):
            if not asked:
                return set(left.values())
            if attempt:
                time.sleep(_BATCH_PAUSE * 2 ** (attempt - 1))
            with _errors():
                found = self._client.batch_get_item(RequestItems=asked)
            for item in found["Responses"].get(self._table, []):
                left.pop(item[KEY]["S"], None)
            asked = found.get("UnprocessedKeys")  # how DynamoDB throttles a batch
        if asked:
            raise JournalUnreadable("UnprocessedKeys")
        return set(left.values())

    @staticmethod
    def _request(keys: Sequence[str]) -> dict[str, Any]:
        return {"Keys": [{KEY: {"S": key}} for key in keys], "ConsistentRead": True, "ProjectionExpression": KEY}


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise JournalUnreadable(error.response.get("Error", {}).get("Code", "ClientError")) from None
    except BotoCoreError as error:
        raise JournalUnreadable(type(error).__name__) from None
