"""Replication between regions: late, in order, never lost by an outage, and the last writer wins."""

import asyncio
import io
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.clock import Clock
from localaws.core.outages import OutageKind, Outages
from localaws.services.replication import Replication
from tests.local.embedded import EAST_1, EAST_2, LocalAws, eventually, make_table, put, value_of


@pytest.fixture
def table(aws: LocalAws, name: str) -> str:
    """A global table in both regions. Replication takes 0.25 s here."""
    make_table(aws, name, EAST_1, replica=EAST_2)
    return name


def _backlog(aws: LocalAws) -> dict[str, int]:
    backlog: dict[str, int] = aws.status()["replication"]["backlog"]
    return backlog


def _arrived(aws: LocalAws) -> None:
    assert eventually(lambda: not any(_backlog(aws).values())), "the backlog does not empty"


def _stream(aws: LocalAws, table: str, region: str) -> list[dict[str, Any]]:
    client = aws.client("dynamodbstreams", region)
    arn = aws.client("dynamodb", region).describe_table(TableName=table)["Table"]["LatestStreamArn"]
    shard = client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    start = client.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return list(client.get_records(ShardIterator=start["ShardIterator"])["Records"])


def test_a_write_reaches_the_replica_after_the_lag_and_not_before(aws: LocalAws, table: str) -> None:
    written = time.monotonic()
    put(aws, table, "a", "1")

    assert eventually(lambda: value_of(aws, table, "a", EAST_2)) == "1"
    assert time.monotonic() - written > 0.2


def test_writes_to_an_item_arrive_in_order_and_show_in_the_replicas_stream(aws: LocalAws, table: str) -> None:
    for number in range(10):
        put(aws, table, "a", str(number))
    aws.client("dynamodb").delete_item(TableName=table, Key={"id": {"S": "a"}})
    _arrived(aws)

    records = _stream(aws, table, EAST_2)

    assert [record["eventName"] for record in records] == ["INSERT", *["MODIFY"] * 9, "REMOVE"]
    values = [record["dynamodb"]["NewImage"]["value"]["S"] for record in records[:-1]]
    assert values == [str(number) for number in range(10)]
    assert {record["awsRegion"] for record in records} == {EAST_2}


def test_writes_while_a_region_is_lost_wait_and_are_there_after_the_heal(aws: LocalAws, table: str) -> None:
    aws.lose(EAST_1)
    for number in range(5):
        put(aws, table, str(number), "x", EAST_2)
    time.sleep(0.4)
    assert _backlog(aws) == {EAST_1: 5, EAST_2: 0}
    lane = aws.status()["replication"]["lanes"][0]
    assert (lane["kind"], lane["from"], lane["to"], lane["waiting"]) == ("dynamodb", EAST_2, EAST_1, 5)

    aws.heal(EAST_1)

    _arrived(aws)
    assert [value_of(aws, table, str(number)) for number in range(5)] == ["x"] * 5


def test_a_write_that_did_not_get_out_before_the_loss_stays_in_the_lost_region(aws: LocalAws, table: str) -> None:
    def stays(key: str) -> bool:
        put(aws, table, key, "1")
        aws.lose(EAST_1)
        time.sleep(0.5)
        arrived = value_of(aws, table, key, EAST_2)
        aws.heal(EAST_1)
        assert eventually(lambda: value_of(aws, table, key, EAST_2)) == "1"
        return arrived is None

    # On a busy machine the loss may come after the lag.
    assert any(stays(str(number)) for number in range(6)), "writes leave a lost region"


def test_an_older_write_that_arrives_late_does_not_replace_a_newer_one(aws: LocalAws, table: str) -> None:
    put(aws, table, "a", "older")
    aws.lose(EAST_1)
    put(aws, table, "a", "newer", EAST_2)

    aws.heal(EAST_1)

    _arrived(aws)
    assert (value_of(aws, table, "a", EAST_1), value_of(aws, table, "a", EAST_2)) == ("newer", "newer")
    images = [record["dynamodb"]["NewImage"]["value"]["S"] for record in _stream(aws, table, EAST_2)]
    assert images == ["newer"], "the write that lost must not show in the stream"


def test_a_newer_delete_is_not_undone_by_an_older_write(aws: LocalAws, table: str) -> None:
    put(aws, table, "a", "first", EAST_2)
    _arrived(aws)
    put(aws, table, "a", "older")
    aws.lose(EAST_1)
    aws.client("dynamodb", EAST_2).delete_item(TableName=table, Key={"id": {"S": "a"}})

    aws.heal(EAST_1)

    _arrived(aws)
    assert (value_of(aws, table, "a", EAST_1), value_of(aws, table, "a", EAST_2)) == (None, None)


def test_a_transaction_is_replicated_item_by_item(aws: LocalAws, table: str) -> None:
    writes = [{"Put": {"TableName": table, "Item": {"id": {"S": key}, "value": {"S": "t"}}}} for key in ("a", "b")]
    aws.client("dynamodb", EAST_2).transact_write_items(TransactItems=writes)
    _arrived(aws)

    assert (value_of(aws, table, "a"), value_of(aws, table, "b")) == ("t", "t")


def test_a_replica_that_left_the_global_table_gets_nothing_more(aws: LocalAws, table: str) -> None:
    put(aws, table, "a", "1")
    aws.client("dynamodb").update_table(TableName=table, ReplicaUpdates=[{"Delete": {"RegionName": EAST_2}}])
    make_table(aws, table, EAST_2)
    _arrived(aws)

    assert value_of(aws, table, "a", EAST_2) is None


def test_a_long_replay_is_complete(aws: LocalAws, table: str) -> None:
    aws.lose(EAST_1)
    for start in range(0, 1000, 25):
        items = [{"PutRequest": {"Item": {"id": {"S": str(start + n)}, "value": {"S": "x"}}}} for n in range(25)]
        aws.client("dynamodb", EAST_2).batch_write_item(RequestItems={table: items})
    aws.heal(EAST_1)
    _arrived(aws)

    assert aws.client("dynamodb", EAST_1).scan(TableName=table, Select="COUNT")["Count"] == 1000


def test_a_long_replay_does_not_hold_up_the_event_loop() -> None:
    async def most_in_one_turn() -> int:
        """Deliveries between two turns of another task."""
        done = 0

        def deliver() -> None:
            nonlocal done
            time.sleep(0.001)
            done += 1

        outages = Outages((EAST_1, EAST_2))
        replication = Replication(Clock(), outages)
        await replication.start()
        outages.lose(EAST_1, OutageKind.ERROR)
        for _ in range(300):
            replication.send("any", EAST_2, EAST_1, deliver)
        outages.heal(EAST_1)
        most = before = 0
        while any(replication.status()["backlog"].values()):
            await asyncio.sleep(0)
            most, before = max(most, done - before), done
        await replication.stop()
        assert done == 300
        return most

    assert asyncio.run(most_in_one_turn()) < 150


def test_a_delivery_that_fails_is_counted_and_the_next_ones_go_on() -> None:
    async def run() -> tuple[list[str], dict[str, int]]:
        replication = Replication(Clock(), Outages((EAST_1, EAST_2)))
        await replication.start()
        done: list[str] = []
        replication.send("any", EAST_2, EAST_1, lambda: done.remove("what is not there"))
        replication.send("any", EAST_2, EAST_1, lambda: done.append("next"))
        while not done:
            await asyncio.sleep(0)
        await replication.stop()
        return done, replication.status()["failed"]

    assert asyncio.run(run()) == (["next"], {"any": 1})


def _replicated_buckets(aws: LocalAws, name: str) -> tuple[str, str]:
    source, destination = f"{name}-1", f"{name}-2"
    aws.client("s3", EAST_1).create_bucket(Bucket=source)
    aws.client("s3", EAST_2).create_bucket(Bucket=destination, CreateBucketConfiguration={"LocationConstraint": EAST_2})
    for bucket, region in ((source, EAST_1), (destination, EAST_2)):
        aws.client("s3", region).put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    rule = {
        "ID": "all",
        "Status": "Enabled",
        "Priority": 1,
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{destination}"},
    }
    aws.client("s3", EAST_1).put_bucket_replication(
        Bucket=source,
        ReplicationConfiguration={"Role": "arn:aws:iam::000000000000:role/any", "Rules": [rule]},
    )
    return source, destination


def _object(aws: LocalAws, bucket: str, key: str, region: str) -> bytes | None:
    try:
        body: bytes = aws.client("s3", region).get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return None
    return body


def test_objects_wait_for_a_lost_region_and_arrive_with_their_tags(aws: LocalAws, name: str) -> None:
    source, destination = _replicated_buckets(aws, name)
    client = aws.client("s3", EAST_1)
    aws.lose(EAST_2)
    version = client.put_object(Bucket=source, Key="a", Body=io.BytesIO(b"x"), Tagging="team=dr")["VersionId"]
    time.sleep(0.4)
    assert client.head_object(Bucket=source, Key="a")["ReplicationStatus"] == "PENDING"
    assert _backlog(aws) == {EAST_1: 0, EAST_2: 1}

    aws.heal(EAST_2)

    assert eventually(lambda: _object(aws, destination, "a", EAST_2)) == b"x"
    for which in ({}, {"VersionId": version}):
        assert client.head_object(Bucket=source, Key="a", **which)["ReplicationStatus"] == "COMPLETED"
    tags = aws.client("s3", EAST_2).get_object_tagging(Bucket=destination, Key="a")["TagSet"]
    assert tags == [{"Key": "team", "Value": "dr"}]


def test_delete_markers_follow_their_objects_in_order(aws: LocalAws, name: str) -> None:
    source, destination = _replicated_buckets(aws, name)
    client = aws.client("s3", EAST_1)
    client.put_object(Bucket=source, Key="a", Body=b"x")
    client.delete_object(Bucket=source, Key="a")
    client.put_object(Bucket=source, Key="b", Body=b"y")
    _arrived(aws)

    assert _object(aws, destination, "a", EAST_2) is None
    versions = aws.client("s3", EAST_2).list_object_versions(Bucket=destination, Prefix="a")
    assert (len(versions["Versions"]), len(versions["DeleteMarkers"])) == (1, 1)
    assert _object(aws, destination, "b", EAST_2) == b"y"


def test_a_secret_changed_during_an_outage_reaches_its_replica_after_the_heal(aws: LocalAws, name: str) -> None:
    client = aws.client("secretsmanager", EAST_1)
    client.create_secret(Name=name, SecretString="first")
    client.replicate_secret_to_regions(SecretId=name, AddReplicaRegions=[{"Region": EAST_2}])

    def replica() -> str:
        value: str = aws.client("secretsmanager", EAST_2).get_secret_value(SecretId=name)["SecretString"]
        return value

    def state() -> str:
        status: str = client.describe_secret(SecretId=name)["ReplicationStatus"][0]["Status"]
        return status

    aws.lose(EAST_2)
    client.put_secret_value(SecretId=name, SecretString="second")
    client.put_secret_value(SecretId=name, SecretString="third")
    time.sleep(0.4)
    assert state() == "InProgress"

    aws.heal(EAST_2)

    assert eventually(lambda: replica() == "third")
    assert state() == "InSync"
