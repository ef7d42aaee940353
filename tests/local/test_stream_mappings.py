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

    def batches_until(self, last: str, *, within: float = 60.0) -> list[list[str]]:
        """All batches until one that ends with `last`."""
        seen: list[list[str]] = []

        def read() -> bool:
            seen.extend(self.batches())
            return any(batch[-1:] == [last] for batch in seen)

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

    seen = stream.batches_until("during")
    assert sorted(key for batch in seen for key in batch) == ["after", "during"]


def test_a_stream_is_read_in_order_whatever_the_parallelization_factor(aws: LocalAws, name: str) -> None:
    make_table(aws, name)
    stream = Stream(aws, name)
    for number in range(6):
        put(aws, name, str(number), "good")
    stream.map(BatchSize=2, ParallelizationFactor=10)

    assert stream.batches_until("5") == [["0", "1"], ["2", "3"], ["4", "5"]]


def test_records_of_a_batching_window_come_in_one_batch(aws: LocalAws, name: str) -> None:
    make_table(aws, name)
    stream = Stream(aws, name)
    stream.map(MaximumBatchingWindowInSeconds=3)
    keys = [f"{number}" for number in range(6)]
    time.sleep(0.9 - time.time() % 1 if time.time() % 1 < 0.9 else 0)  # a record's own time is cut to whole seconds
    for key in keys:
        put(aws, name, key, "good")
        time.sleep(0.45)

    assert stream.batches_until(keys[-1]) == [keys]
