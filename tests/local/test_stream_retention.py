"""The retention of a stream's records, on a clock that is not the machine's [DYNAMODB-7]."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from localaws import emulator as localaws_emulator
from localaws.core.clock import Clock
from localaws.services.lambda_.streams import RETENTION
from tests.local.aurora_world import Emulator, emulator, eventually
from tests.tiers import starts


@pytest.fixture(scope="module")
@starts("emulator")
def ministack() -> Iterator[Emulator]:
    with emulator() as running:
        yield running


def table_with(ministack: Emulator, name: str, key: str) -> str:
    """Make a table with one item; returns its stream."""
    dynamodb = ministack.client("dynamodb")
    table = dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    dynamodb.put_item(TableName=name, Item={"id": {"S": key}})
    return str(table["TableDescription"]["LatestStreamArn"])


def kept(ministack: Emulator, stream: str) -> list[Any]:
    streams = ministack.client("dynamodbstreams")
    (shard,) = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    try:
        records = streams.get_records(ShardIterator=iterator)["Records"]
    except streams.exceptions.TrimmedDataAccessException:
        return []  # the record expired after the iterator was made
    return [each["dynamodb"]["Keys"]["id"]["S"] for each in records]


@pytest.mark.parametrize(("speed", "expires"), [(1.0, False), (RETENTION, True)])
def test_a_record_expires_after_a_day_of_aws(ministack: Emulator, speed: float, expires: bool) -> None:
    clock = Clock(speed)
    undo = localaws_emulator.event_sources.expire_stream_records(
        lambda written: clock.elapsed(time.time() - written) > RETENTION
    )
    try:
        stream = table_with(ministack, f"kept-{speed:.0f}", "a")
        if expires:
            eventually(lambda: kept(ministack, stream) == [], "the end of the record")
        else:
            time.sleep(1.5)
            assert kept(ministack, stream) == ["a"]
    finally:
        undo()
