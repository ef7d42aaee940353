"""Reading payments from a replica of the payment journal: all, by key, or a sample."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from drill.observe.aws import observing
from shared.deployment import Deployment
from shared.places import Place

CONTENT = ("amount", "currency", "debtor", "creditor", "reference")
_PREFIX = "payment#"
_BATCH = 100  # API DynamoDB.BatchGetItem


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One payment in one region's journal."""

    payment_id: str
    content: Mapping[str, str]
    synthetic: bool = False  # made to verify a recovery, not by a client

    @property
    def reference(self) -> str:
        return self.content.get("reference", "")


def read_each(deployment: Deployment, read: Callable[[Any, str], dict[str, Entry]]) -> dict[str, dict[str, Entry]]:
    """The results of `read` for each region's replica, called with its client and table. Raises ProbeError."""
    with observing("the journal cannot be read"):
        return {
            deployment.region(place): read(
                deployment.client("dynamodb", place), deployment.global_outputs.journal_table
            )
            for place in Place
        }


def read_journal(dynamodb: Any, table: str) -> dict[str, Entry]:
    """All payments of one region's replica, by payment id. Raises botocore's ClientError."""
    return _entries(item for page in _scan(dynamodb, table, ConsistentRead=True) for item in _plain(page["Items"]))


def read_entries(dynamodb: Any, table: str, payment_ids: Sequence[str]) -> dict[str, Entry]:
    """These payments of one region's replica: where a journal is too large to be read whole. Raises ClientError."""
    keys = [f"{_PREFIX}{payment_id}" for payment_id in payment_ids]
    return _entries(read_sample(dynamodb, table, keys=keys).values())


def read_sample(
    dynamodb: Any, table: str, *, keys: Sequence[str] | None = None, limit: int = 0
) -> dict[str, dict[str, Any]]:
    """Payments by key: those of `keys`, or about `limit` of whichever come first. Raises ClientError."""
    found = _some(dynamodb, table, limit) if keys is None else _these(dynamodb, table, keys)
    return {str(item["pk"]): item for item in _plain(found)}


def _entries(items: Iterable[Mapping[str, Any]]) -> dict[str, Entry]:
    entries = (
        Entry(
            payment_id=str(item["pk"]).removeprefix(_PREFIX),
            content={name: str(item[name]) for name in CONTENT if name in item},
            synthetic=bool(item.get("synthetic", False)),
        )
        for item in items
    )
    return {entry.payment_id: entry for entry in entries}


def _plain(items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    convert = TypeDeserializer().deserialize
    return [{name: convert(value) for name, value in item.items()} for item in items]


def _scan(dynamodb: Any, table: str, **options: Any) -> Iterable[dict[str, Any]]:
    pages: Iterable[dict[str, Any]] = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        FilterExpression="begins_with(pk, :prefix)",
        ExpressionAttributeValues={":prefix": {"S": _PREFIX}},
        **options,
    )
    return pages


def _these(dynamodb: Any, table: str, keys: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for start in range(0, len(keys), _BATCH):
        left: dict[str, Any] = {
            table: {"Keys": [{"pk": {"S": key}} for key in keys[start : start + _BATCH]], "ConsistentRead": True}
        }
        while left:
            answer = dynamodb.batch_get_item(RequestItems=left)
            found += answer["Responses"].get(table, [])
            left = answer.get("UnprocessedKeys") or {}
    return found


def _some(dynamodb: Any, table: str, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for page in _scan(dynamodb, table, PaginationConfig={"PageSize": limit}):
        found += page["Items"]
        if len(found) >= limit:
            break
    return found[:limit]
