"""Schedules at the speed of the embedded AWS, as their targets see them."""

import json
import time
from collections.abc import Iterator

import pytest

from localaws.core.environment import ACCOUNT
from tests.local.embedded import EAST_1, EAST_2, LocalAws, deploy_function, eventually

MINUTE = 0.5  # seconds of this machine, see the fixture `planes`


class Scheduled:
    """A schedule of every minute in a region, and the queue it fills."""

    def __init__(self, aws: LocalAws, name: str, region: str) -> None:
        self.aws, self.region = aws, region
        self.queue = aws.client("sqs", region).create_queue(QueueName=name)["QueueUrl"]
        target = {"Arn": f"arn:aws:sqs:{region}:{ACCOUNT}:{name}", "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/any"}
        aws.client("scheduler", region).create_schedule(
            Name=name,
            ScheduleExpression="rate(1 minute)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={**target, "Input": json.dumps({"run": True})},
        )

    def runs(self) -> int:
        """The number of runs since the last call."""
        answer = self.aws.client("sqs", self.region).receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return len(answer.get("Messages", []))


@pytest.fixture
def names(planes: LocalAws, name: str) -> Iterator[str]:
    yield name
    for region in (EAST_1, EAST_2):
        client = planes.client("scheduler", region)
        for schedule in client.list_schedules(NamePrefix=name)["Schedules"]:
            client.delete_schedule(Name=schedule["Name"])


def test_a_schedule_runs_each_minute_where_its_region_lives_and_makes_up_for_nothing(
    planes: LocalAws, names: str
) -> None:
    lost, alive = Scheduled(planes, names, EAST_1), Scheduled(planes, names, EAST_2)
    assert eventually(lost.runs), "the first run comes with the schedule"
    read = time.monotonic()
    planes.lose(EAST_1)
    alive.runs()
    began, during = time.monotonic(), list[int]()

    def six() -> bool:
        during.append(alive.runs())
        return sum(during) >= 6

    assert eventually(six)
    lasted = time.monotonic() - began
    planes.heal(EAST_1)
    made = lost.runs()
    while_there = time.monotonic() - read - lasted
    assert made <= 1 + while_there / MINUTE, "no run was made up for"
    assert lasted > 4 * MINUTE, "six runs are five minutes apart, the first of which may have come late"
    assert eventually(lost.runs), "it goes on"


def test_a_rule_counts_its_first_minute_from_its_creation(planes: LocalAws, name: str) -> None:
    queue = planes.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    events = planes.client("events")
    started = time.monotonic()
    events.put_rule(Name=name, ScheduleExpression="rate(4 minutes)")
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": f"arn:aws:sqs:{EAST_1}:{ACCOUNT}:{name}"}])

    def ran() -> bool:
        return bool(planes.client("sqs").receive_message(QueueUrl=queue).get("Messages"))

    assert eventually(ran)
    assert time.monotonic() - started > 3 * MINUTE
    events.remove_targets(Rule=name, Ids=["queue"])
    events.delete_rule(Name=name)


def test_a_function_that_fails_is_tried_three_times_and_then_its_event_is_a_dead_letter(
    planes: LocalAws, name: str
) -> None:
    """A schedule queues the invocation; Lambda waits one AWS minute, then two."""
    sqs = planes.client("sqs")
    letters = sqs.create_queue(QueueName=f"{name}-letters")["QueueUrl"]
    code = """
        def handler(event, context):
            print("called")
            raise ZeroDivisionError("by the schedule")
    """
    dead = {"TargetArn": f"arn:aws:sqs:{EAST_1}:{ACCOUNT}:{name}-letters"}
    arn = deploy_function(planes, name, code, DeadLetterConfig=dead)
    started = time.monotonic()
    planes.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/any", "Input": '{"which": 7}'},
    )

    found = eventually(lambda: sqs.receive_message(QueueUrl=letters).get("Messages"))

    assert found, "no dead letter"
    assert time.monotonic() - started > 3 * MINUTE - 0.1
    assert '"which": 7' in found[0]["Body"]
    planes.client("scheduler").delete_schedule(Name=name)


def test_a_target_that_is_not_there_is_tried_once(planes: LocalAws, name: str) -> None:
    sqs = planes.client("sqs")
    letters = sqs.create_queue(QueueName=f"{name}-letters")["QueueUrl"]
    account = f"{EAST_1}:{ACCOUNT}"
    planes.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression="rate(1 minute)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": f"arn:aws:lambda:{account}:function:{name}",
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/any",
            "RetryPolicy": {"MaximumRetryAttempts": 0},
            "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{account}:{name}-letters"},
        },
    )

    time.sleep(2 * MINUTE)

    assert "Messages" not in sqs.receive_message(QueueUrl=letters), "on AWS the event would be here"
    planes.client("scheduler").delete_schedule(Name=name)
