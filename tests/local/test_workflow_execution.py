"""Executions of state machines at the speed of the embedded AWS, in regions that live and that are lost."""

import json
import time
from pathlib import Path
from typing import Any

from localaws.core.environment import ACCOUNT
from tests.local.embedded import EAST_1, EAST_2, LocalAws, deploy_function, eventually

ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"


def start(aws: LocalAws, name: str, states: dict[str, Any], region: str = EAST_1) -> str:
    """Start an execution of a machine with these states, the first one first; returns its ARN."""
    client = aws.client("stepfunctions", region)
    definition = json.dumps({"StartAt": next(iter(states)), "States": states})
    machine = client.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
    return str(client.start_execution(stateMachineArn=machine, name=f"{name}-run")["executionArn"])


def ended(aws: LocalAws, arn: str, *, within: float = 120.0) -> dict[str, Any]:
    client = aws.client("stepfunctions", arn.split(":")[3])
    found: dict[str, Any] = eventually(
        lambda: (run := client.describe_execution(executionArn=arn))["status"] != "RUNNING" and run, within=within
    )
    assert found, "it did not end"
    return found


def task(arn: str, **more: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": arn, "Payload": {}},
        "End": True,
        **more,
    }


def test_waits_and_retries_last_as_long_as_on_this_clock(planes: LocalAws, name: str) -> None:
    code = """
        def handler(event, context):
            print("called")
            raise LookupError("no such thing")
    """
    arn = deploy_function(planes, name, code)
    retry = [{"ErrorEquals": ["LookupError"], "IntervalSeconds": 60, "MaxAttempts": 2, "BackoffRate": 1}]
    started = time.monotonic()

    run = ended(
        planes,
        start(planes, name, {"Wait": {"Type": "Wait", "Seconds": 60, "Next": "Try"}, "Try": task(arn, Retry=retry)}),
    )

    assert time.monotonic() - started > 1.5, "a wait and two intervals of half a second each"
    assert (run["status"], run["error"]) == ("FAILED", "LookupError"), "the error is named for the exception's class"
    assert json.loads(run["cause"]) == {"errorType": "LookupError", "errorMessage": "no such thing"}


def test_a_short_limit_leaves_a_function_time_to_start(planes: LocalAws, name: str) -> None:
    code = """
        import time

        def handler(event, context):
            print("called")
            time.sleep(event["seconds"])
            return "done"
    """
    arn = deploy_function(planes, name, code)
    quick = task(arn, TimeoutSeconds=6, Next="Slow", Parameters={"FunctionName": arn, "Payload": {"seconds": 1}})
    slow = task(arn, TimeoutSeconds=6, Parameters={"FunctionName": arn, "Payload": {"seconds": 8}})
    del quick["End"]

    run = ended(planes, start(planes, name, {"Quick": quick, "Slow": slow}))

    assert (run["status"], run["error"]) == ("FAILED", "States.Timeout")
    events = planes.client("stepfunctions").get_execution_history(executionArn=run["executionArn"])["events"]
    entered = [each["stateEnteredEventDetails"]["name"] for each in events if "stateEnteredEventDetails" in each]
    assert entered == ["Quick", "Slow"]


def test_a_callback_is_waited_for_as_long_as_on_this_clock(planes: LocalAws, name: str) -> None:
    queue = planes.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    asked = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": queue, "MessageBody": {"token.$": "$$.Task.Token"}},
        "TimeoutSeconds": 660,
        "End": True,
    }
    started = time.monotonic()

    run = ended(planes, start(planes, name, {"Ask": asked}))

    assert time.monotonic() - started > 5.2
    assert (run["status"], run["error"]) == ("FAILED", "States.Timeout")


def test_an_execution_of_a_lost_region_stops_and_goes_on_after_the_heal(planes: LocalAws, name: str) -> None:
    code = """
        def handler(event, context):
            print("called")
            return "done"
    """
    arn = deploy_function(planes, name, code, EAST_2)
    run = start(
        planes,
        name,
        {"Wait": {"Type": "Wait", "Seconds": 240, "Next": "Do"}, "Do": task(arn, TimeoutSeconds=60)},
        EAST_2,
    )
    planes.lose(EAST_2)  # before the two seconds are over

    time.sleep(3)

    (row,) = [each for each in planes.status()["workflows"] if each["name"] == f"{name}-run"]
    assert (row["region"], row["machine"], row["status"], row["ended"]) == (EAST_2, name, "RUNNING", None)
    planes.heal(EAST_2)
    assert json.loads(ended(planes, run)["output"])["Payload"] == "done"
    (row,) = [each for each in planes.status()["workflows"] if each["name"] == f"{name}-run"]
    assert row["status"] == "SUCCEEDED"
    assert row["ended"] - row["started"] > 3


def test_a_task_at_work_when_its_region_is_lost_fails_as_one_lambda_cannot_serve_and_is_tried_again(
    planes: LocalAws, name: str, tmp_path: Path
) -> None:
    at_work = tmp_path / "at-work"
    code = f"""
        import os, pathlib, time

        def handler(event, context):
            print("called")
            if not (at_work := pathlib.Path("{at_work}")).exists():
                at_work.touch()
                time.sleep(25)
            return os.getpid()
    """
    arn = deploy_function(planes, name, code, EAST_2)
    retry = [{"ErrorEquals": ["Lambda.ServiceException"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    run = start(planes, name, {"Do": task(arn, Retry=retry)}, EAST_2)
    assert eventually(at_work.exists)

    planes.lose(EAST_2)
    time.sleep(0.3)
    planes.heal(EAST_2)

    assert ended(planes, run)["status"] == "SUCCEEDED"
    events = planes.client("stepfunctions", EAST_2).get_execution_history(executionArn=run)["events"]
    failed = [event["taskFailedEventDetails"]["error"] for event in events if event["type"] == "TaskFailed"]
    assert failed == ["Lambda.ServiceException"]
