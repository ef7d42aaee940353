"""Reading payments from a journal replica by key or as a sample."""

from collections.abc import Sequence
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

_PREFIX = "payment#"
_BATCH = 100  # API DynamoDB.BatchGetItem


def read_sample(
    dynamodb: Any, table: str, *, keys: Sequence[str] | None = None, limit: int = 0
) -> dict[str, dict[str, Any]]:
    """Payments by key: those of `keys`, or about `limit` of whichever come first. Raises ClientError."""
    convert = TypeDeserializer().deserialize
    found = _some(dynamodb, table, limit) if keys is None else _these(dynamodb, table, keys)
    items = [{name: convert(value) for name, value in item.items()} for item in found]
    return {str(item["pk"]): item for item in items}


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
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        FilterExpression="begins_with(pk, :prefix)",
        ExpressionAttributeValues={":prefix": {"S": _PREFIX}},
        PaginationConfig={"PageSize": limit},
    )
    for page in pages:
        found += page["Items"]
        if len(found) >= limit:
            break
    return found[:limit]
