"""The backlog: batches of the stream whose payments may still be missing from a region's database.

Each region has a table of its own, which only its ledger adds to and the writer's ledger empties. An item holds the
payment ids of one batch, so it costs two writes for all of them; its sort key begins with the time at which the batch
arrived, so the oldest items come first. An item changes only by losing payments that can never be posted (decision
0012).
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .clock import timestamp

PARTITION, SORT = "pk", "sk"
_BATCHES = {"S": "batches"}
_PER_DELETE = 25  # API DynamoDB.BatchWriteItem
_DELETE_TRIES = 5


class BacklogUnavailable(Exception):
    """A region's backlog did not answer, or rejected the call; `reason` is the error's code or class name."""

    def __init__(self, region: str, reason: str) -> None:
        super().__init__(f"the backlog in {region} is unavailable: {reason}")
        self.region = region
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Payments of one batch of a region's stream, and the item's sort key."""

    position: str
    payment_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Extent:
    """The size of a backlog in payments, and the oldest one's arrival (ISO 8601); `payments` counts one page only."""

    payments: int
    oldest: str | None


class Backlog:
    """One region's backlog. `client`: DynamoDB in that region."""

    def __init__(self, client: Any, *, region: str, table: str) -> None:
        self.region = region
        self._client = client
        self._table = table

    def record(self, payment_ids: Sequence[str], *, arrived: datetime) -> None:
        """Add a batch. Raises BacklogUnavailable; the batch may have been added nevertheless."""
        batch = Batch(position=f"{timestamp(arrived)}#{uuid.uuid4().hex[:12]}", payment_ids=tuple(payment_ids))
        with self._errors():
            self._client.put_item(TableName=self._table, Item=_item(batch))

    def shorten(self, batch: Batch, payment_ids: Sequence[str]) -> None:
        """Leave only `payment_ids` in a batch, unless it has been removed. Raises BacklogUnavailable."""
        item = _item(Batch(position=batch.position, payment_ids=tuple(payment_ids)))
        with self._errors(), suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.put_item(
                TableName=self._table, Item=item, ConditionExpression=f"attribute_exists({PARTITION})"
            )

    def page(self, *, after: str, until: str, limit: int) -> list[Batch]:
        """The oldest batches between two sort keys, the first excluded, by a strongly consistent read; none if there
        are no more. Raises BacklogUnavailable."""
        with self._errors():
            found = self._client.query(
                TableName=self._table,
                KeyConditionExpression=f"{PARTITION} = :batches AND {SORT} BETWEEN :after AND :until",
                ExpressionAttributeValues={":batches": _BATCHES, ":after": {"S": f"{after}\0"}, ":until": {"S": until}},
                Limit=limit,
                ConsistentRead=True,
            )
        return [_batch(item) for item in found["Items"]]

    def extent(self) -> Extent:
        """The size of the backlog. Raises BacklogUnavailable."""
        with self._errors():
            found = self._client.query(
                TableName=self._table,
                KeyConditionExpression=f"{PARTITION} = :batches",
                ExpressionAttributeValues={":batches": _BATCHES},
                ConsistentRead=True,
            )
        batches = [_batch(item) for item in found["Items"]]
        return Extent(
            payments=sum(len(batch.payment_ids) for batch in batches),
            oldest=batches[0].position.partition("#")[0] if batches else None,
        )

    def remove(self, batches: Sequence[Batch]) -> None:
        """Delete batches, also ones that are deleted already. Raises BacklogUnavailable; some may have been deleted."""
        for start in range(0, len(batches), _PER_DELETE):
            requests: Any = {
                self._table: [
                    {"DeleteRequest": {"Key": {PARTITION: _BATCHES, SORT: {"S": batch.position}}}}
                    for batch in batches[start : start + _PER_DELETE]
                ]
            }
            for _ in range(_DELETE_TRIES):
                with self._errors():
                    requests = self._client.batch_write_item(RequestItems=requests).get("UnprocessedItems")
                if not requests:
                    break
            else:
                raise BacklogUnavailable(self.region, "UnprocessedItems")  # how DynamoDB throttles a batch

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise BacklogUnavailable(self.region, error.response.get("Error", {}).get("Code", "ClientError")) from None
        except BotoCoreError as error:
            raise BacklogUnavailable(self.region, type(error).__name__) from None


def _item(batch: Batch) -> dict[str, Any]:
    ids = [{"S": payment_id} for payment_id in batch.payment_ids]
    return {PARTITION: _BATCHES, SORT: {"S": batch.position}, "ids": {"L": ids}}


def _batch(item: dict[str, Any]) -> Batch:
    return Batch(position=item[SORT]["S"], payment_ids=tuple(each["S"] for each in item["ids"]["L"]))
