"""Items that the control API adds to a table without calls of DynamoDB."""

from typing import Any

import httpx
import pytest

from tests.local.embedded import EAST_1, EAST_2, TIMEOUT, LocalAws, make_table, put, value_of

ITEM = {"id": {"S": "old-{number}"}, "value": {"S": "same"}}


def test_added_items_are_in_every_replica_and_can_be_read_queried_and_deleted(aws: LocalAws, name: str) -> None:
    make_table(aws, name, replica=EAST_2)
    put(aws, name, "own", "one")

    for first in (0, 3):
        assert aws.control("items", {"table": name, "first": first, "count": 3, "item": ITEM}) == {"added": 3}

    for region in (EAST_1, EAST_2):
        assert [value_of(aws, name, f"old-{number}", region) for number in range(7)] == ["same"] * 6 + [None]
    dynamodb = aws.client("dynamodb")
    assert dynamodb.scan(TableName=name)["Count"] == 7
    assert dynamodb.describe_table(TableName=name)["Table"]["ItemCount"] == 7
    dynamodb.delete_item(TableName=name, Key={"id": {"S": "old-0"}})
    assert value_of(aws, name, "old-0") is None
    assert value_of(aws, name, "old-1") == "same"


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"table": "none-such", "count": 1, "item": ITEM}, "table none-such is not in us-east-1"),
        ({"table": "any", "count": 0, "item": ITEM}, "count is 0"),
        ({"table": "any", "count": 1}, "name an item"),
    ],
)
def test_an_invalid_request_is_rejected_with_the_reason(aws: LocalAws, wanted: Any, reason: str) -> None:
    answer = httpx.post(f"{aws.server.control}/items", json=wanted, timeout=TIMEOUT)

    assert (answer.status_code, reason in answer.json()["error"]) == (400, True), answer.text
