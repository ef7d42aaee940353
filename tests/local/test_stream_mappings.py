"""Event source mappings of streams, as the functions behind them see their records."""

import json
import time
from typing import Any

import pytest

from localaws.core.environment import ACCOUNT
from tests.local.embedded import EAST_1, EAST_2, LocalAws, deploy_function, eventually, make_table, put

# Sends its batch to a queue, and fails as the values of the items demand.
CODE = """
    import json
    import os

    import boto3

    sqs = boto3.client("sqs")

    def handler(event, context):
        print("called")
        images = [record["dynamodb"].get("NewImage", {}) for record in event["Records"]]
        ids = [image.get("id", {}).get("S") for image in images]
        sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(ids))
        broken = sqs.get_queue_url(QueueName=os.environ["BROKEN"])["QueueUrl"]
        held = sqs.get_queue_attributes(QueueUrl=broken, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
        failing = [
            record["dynamodb"]["SequenceNumber"]
            for record, image in zip(event["Records"], images)
            if image.get("value", {}).get("S") == "poison" and held["ApproximateNumberOfMessages"] != "0"
        ]
        if failing and "RAISE" in os.environ:
            raise LookupError("poison")
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failing]}
"""


class Stream:
    """A table, a function that reports its batches, and the mapping between them."""

    def __init__(self, aws: LocalAws, name: str, region: str = EAST_1, *, raises: bool = False) -> None:
        self.aws, self.name, self.region = aws, name, region
        sqs = aws.client("sqs", region)
        self.received = sqs.create_queue(QueueName=f"{name}-received")["QueueUrl"]
        self.broken = sqs.create_queue(QueueName=f"{name}-broken")["QueueUrl"]
        variables = {"QUEUE": self.received, "BROKEN": f"{name}-broken", **({"RAISE": "1"} if raises else {})}
        deploy_function(aws, name, CODE, region, Environment={"Variables": variables})

    def map(self, **settings: Any) -> None:
        table = self.aws.client("dynamodb", self.region).describe_table(TableName=self.name)["Table"]
        self.aws.client("lambda", self.region).create_event_source_mapping(
            FunctionName=self.name,
            EventSourceArn=table["LatestStreamArn"],
            StartingPosition="TRIM_HORIZON",
            **settings,
        )

    def mend(self) -> None:
        """The function takes everything from now on."""
        self.aws.client("sqs", self.region).purge_queue(QueueUrl=self.broken)

    def break_(self) -> None:
        self.aws.client("sqs", self.region).send_message(QueueUrl=self.broken, MessageBody="broken")

    def batches(self) -> list[list[str]]:
        """The ids of each batch since the last read."""
        answer = self.aws.client("sqs", self.region).receive_message(QueueUrl=self.received, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    def batches_until(self, *last: str, within: float = 60.0) -> list[list[str]]:
        """All batches until each of `last` was in one."""
        seen: list[list[str]] = []

        def read() -> bool:
            seen.extend(self.batches())
            return {key for batch in seen for key in batch} >= set(last)

        assert eventually(read, within=within), seen
        return seen


def test_each_region_reads_its_own_stream_and_the_replicas_carries_what_was_replicated(
    aws: LocalAws, name: str
) -> None:
    make_table(aws, name, replica=EAST_2)
    streams = {region: Stream(aws, name, region) for region in (EAST_1, EAST_2)}
    for stream in streams.values():
        stream.map()

    put(aws, name, "from-1", "good", EAST_1)

    assert streams[EAST_1].batches_until("from-1") == [["from-1"]]
    assert streams[EAST_2].batches_until("from-1") == [["from-1"]]


def test_a_reported_failure_holds_back_what_follows_until_it_is_gone(aws: LocalAws, name: str) -> None:
    make_table(aws, name)
    stream = Stream(aws, name)
    stream.break_()
    for key, value in (("a", "good"), ("b", "poison"), ("c", "good")):
        put(aws, name, key, value)
    stream.map(FunctionResponseTypes=["ReportBatchItemFailures"], MaximumRetryAttempts=-1)

    seen: list[list[str]] = []

    def tries() -> int:
        seen.extend(stream.batches())
        return len(seen)

    assert eventually(lambda: tries() >= 3)
    assert seen[0] == ["a", "b", "c"]
    assert set(map(tuple, seen[1:])) == {("b", "c")}, "it goes on at the first that failed"

    stream.mend()
    put(aws, name, "d", "good")
    later = stream.batches_until("d")
    assert later[-1] == ["d"], "what came after the batch waited for it"


def test_a_batch_that_raises_is_divided_until_the_poison_is_alone_and_then_discarded(aws: LocalAws, name: str) -> None:
    make_table(aws, name)
    stream = Stream(aws, name, raises=True)
    stream.break_()
    failures = aws.client("sqs").create_queue(QueueName=f"{name}-failures")["QueueUrl"]
    for key, value in (("a", "good"), ("b", "good"), ("c", "poison"), ("d", "good")):
        put(aws, name, key, value)
    stream.map(
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": f"arn:aws:sqs:{EAST_1}:{ACCOUNT}:{name}-failures"}},
    )

    seen = stream.batches_until("d")

    put(aws, name, "e", "good")
    seen += stream.batches_until("e")
    assert seen == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"], ["c"], ["d"], ["e"]]
    (message,) = aws.client("sqs").receive_message(QueueUrl=failures)["Messages"]
    received = json.loads(message["Body"])
    assert (received["requestContext"]["condition"], received["DDBStreamBatchInfo"]["batchSize"]) == (
        "RetryAttemptsExhausted",
        1,
    )


@pytest.mark.parametrize("pattern", [{"eventName": ["MODIFY"]}])
def test_only_what_passes_a_filter_is_given_to_the_function(aws: LocalAws, name: str, pattern: Any) -> None:
    make_table(aws, name)
    stream = Stream(aws, name)
    stream.map(FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)}]})

    put(aws, name, "a", "one")
    put(aws, name, "b", "one")
    put(aws, name, "b", "two")

    assert stream.batches_until("b") == [["b"]]


def test_a_lost_regions_mapping_stops_and_goes_on_where_it_stopped(aws: LocalAws, name: str) -> None:
    make_table(aws, name, replica=EAST_2)
    stream = Stream(aws, name, EAST_2)
    stream.map()
    put(aws, name, "before", "good", EAST_2)
    stream.batches_until("before")

    aws.lose(EAST_2)
    put(aws, name, "during", "good", EAST_1)
    aws.heal(EAST_2)
    put(aws, name, "after", "good", EAST_2)

    seen = stream.batches_until("during", "after")
    assert sorted(key for batch in seen for key in batch) == ["after", "during"]


# Notes when each batch began and ended, with the records it had.
SLOW = """
    import json
    import os
    import time

    import boto3

    sqs = boto3.client("sqs")

    def handler(event, context):
        began = time.time()
        images = [record["dynamodb"]["NewImage"] for record in event["Records"]]
        time.sleep(0.3)
        records = [[image["id"]["S"], image["value"]["S"]] for image in images]
        found = {"began": began, "ended": time.time(), "records": records}
        sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(found))
"""


def runs_of(aws: LocalAws, queue: str, records: int) -> list[dict[str, Any]]:
    """The batches that SLOW has noted, in the order of their end, once there are as many `records` in them."""
    seen: list[dict[str, Any]] = []

    def read() -> bool:
        answer = aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        seen.extend(json.loads(message["Body"]) for message in answer.get("Messages", []))
        return sum(len(run["records"]) for run in seen) >= records

    assert eventually(read), seen
    return sorted(seen, key=lambda run: float(run["ended"]))


@pytest.mark.parametrize(("factor", "most"), [(1, 1), (10, 4)])
def test_batches_run_side_by_side_with_the_order_of_each_key_kept(
    aws: LocalAws, name: str, factor: int, most: int
) -> None:
    make_table(aws, name)
    queue = aws.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    deploy_function(aws, name, SLOW, Environment={"Variables": {"QUEUE": queue}})
    keys, versions = [f"key-{number}" for number in range(12)], ["0", "1", "2"]
    for version in versions:
        for key in keys:
            put(aws, name, key, version)
    stream = aws.client("dynamodb").describe_table(TableName=name)["Table"]["LatestStreamArn"]
    aws.client("lambda").create_event_source_mapping(
        FunctionName=name,
        EventSourceArn=stream,
        StartingPosition="TRIM_HORIZON",
        BatchSize=3,
        ParallelizationFactor=factor,
    )

    runs = runs_of(aws, queue, len(keys) * len(versions))

    records = [record for run in runs for record in run["records"]]
    assert {key: [version for each, version in records if each == key] for key in keys} == dict.fromkeys(keys, versions)
    at_once = [sum(other["began"] <= run["began"] < other["ended"] for other in runs) for run in runs]
    assert (min(2, max(at_once)), max(at_once) <= most) == (min(2, most), True), at_once


def test_two_mappings_of_a_stream_read_it_independently(aws: LocalAws, name: str) -> None:
    make_table(aws, name)
    first, second = Stream(aws, name), Stream(aws, f"{name}-second")
    arn = aws.client("dynamodb").describe_table(TableName=name)["Table"]["LatestStreamArn"]
    first.break_()
    for stream, settings in (
        (first, {"FunctionResponseTypes": ["ReportBatchItemFailures"]}),
        (second, {"BatchSize": 1}),
    ):
        aws.client("lambda").create_event_source_mapping(
            FunctionName=stream.name, EventSourceArn=arn, StartingPosition="TRIM_HORIZON", **settings
        )
    for key, value in (("a", "poison"), ("b", "good")):
        put(aws, name, key, value)

    assert second.batches_until("b") == [["a"], ["b"]]
    assert eventually(first.batches)[-1][0] == "a", "the other mapping stays at the record at which its function fails"

    first.mend()

    assert first.batches_until("b")[-1][-1] == "b"


def test_a_record_that_was_retried_for_too_long_is_discarded(planes: LocalAws, name: str) -> None:
    make_table(planes, name)
    stream = Stream(planes, name)
    stream.break_()
    stream.map(FunctionResponseTypes=["ReportBatchItemFailures"], MaximumRecordAgeInSeconds=60, BatchSize=1)

    put(planes, name, "a", "poison")
    put(planes, name, "b", "good")

    seen = stream.batches_until("b")
    assert seen[0] == ["a"], "it was tried"
    assert seen[-1] == ["b"]


def test_records_of_a_batching_window_come_in_one_batch(aws: LocalAws, name: str) -> None:
    make_table(aws, name)
    stream = Stream(aws, name)
    stream.map(MaximumBatchingWindowInSeconds=3)

    def come_together(attempt: int) -> bool:
        keys = [f"{attempt}-{number}" for number in range(6)]
        time.sleep(0.9 - time.time() % 1 if time.time() % 1 < 0.9 else 0)  # a record's own time is cut to whole seconds
        for key in keys:
            put(aws, name, key, "good")
            time.sleep(0.45)
        return stream.batches_until(keys[-1]) == [keys]

    assert any(come_together(attempt) for attempt in range(6)), "a busy machine may write for longer than the window"
