"""Readings from Step Functions, the sentinels' logs and the dead-letter queue."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from drill.actions.poison import Poison, read_poison
from drill.model.context import DrillContext
from drill.model.errors import ProbeError
from drill.model.faults import OutageMode
from drill.observe.sentinel_log import Decision, condensed, read_decisions
from drill.observe.workflow_runs import read_runs
from shared.deployment import Deployment
from shared.places import Place
from tests.drill.systems import REGIONS, System, deployed

BEGIN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class StepFunctions:
    """One region's, with the runs it is given: moto runs no state machine."""

    def __init__(self, runs: dict[str, dict[str, Any]]) -> None:
        self._runs = runs

    def list_executions(self, **asked: Any) -> dict[str, Any]:
        machine = asked["stateMachineArn"].rpartition(":")[2]
        names = [name for name in self._runs if name.startswith(machine)]
        return {"executions": [{"name": name, "executionArn": name} for name in names]}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        return {"name": executionArn, "startDate": BEGIN, **self._runs[executionArn]["printed"]}

    def get_paginator(self, _operation: str) -> "StepFunctions":
        return self

    def paginate(self, *, executionArn: str) -> list[dict[str, Any]]:
        return [{"events": self._runs[executionArn].get("events", [])}]


def entered(name: str, seconds: float, kind: str = "Task") -> dict[str, Any]:
    moment = BEGIN + timedelta(seconds=seconds)
    return {"type": f"{kind}StateEntered", "timestamp": moment, "stateEnteredEventDetails": {"name": name}}


def left(name: str, seconds: float, output: str = "", kind: str = "Task") -> dict[str, Any]:
    moment, details = BEGIN + timedelta(seconds=seconds), {"name": name, "output": output}
    return {"type": f"{kind}StateExited", "timestamp": moment, "stateExitedEventDetails": details}


def with_runs(runs: dict[str, dict[str, Any]]) -> Deployment:
    clients = {
        ("stepfunctions", Place.PRIMARY): StepFunctions({}),
        ("stepfunctions", Place.SECONDARY): StepFunctions(runs),
    }
    machines = {f"compute.{name}_arn": f"stateMachine:{name}" for name in ("failover", "failback")}
    return deployed(client=lambda service, place: clients[service, place], primary=machines, secondary=machines)


def test_a_run_has_its_document_its_moments_and_the_duration_of_each_step() -> None:
    document = {
        "preconditions": {"met": True},
        "fence": {"at": "2026-01-02T03:04:07Z"},
        "verification": {"payment_id": "p"},
    }
    events = [
        *(
            entered("CheckPreconditions", 0),
            left("CheckPreconditions", 1),
            entered("DescribeWriter", 1),
            left("DescribeWriter", 2),
        ),
        *(entered("WaitForWriter", 2, kind="Wait"), left("WaitForWriter", 4, kind="Wait")),
        *(entered("DescribeWriter", 4), left("DescribeWriter", 6), entered("VerifyPayment", 6)),
    ]
    printed = {"status": "SUCCEEDED", "stopDate": BEGIN + timedelta(seconds=7), "output": json.dumps(document)}

    (run,) = read_runs(with_runs({"failover-1": {"printed": printed, "events": events}}))

    assert (run.machine, run.region, run.name, run.went_on) == ("failover", "us-east-2", "failover-1", True)
    assert run.moment("fence") == (BEGIN + timedelta(seconds=2)).timestamp()
    assert run.moment("replay") is None
    begin = BEGIN.timestamp()
    assert [(step.name, step.entered - begin, step.left and step.left - begin) for step in run.steps] == [
        ("CheckPreconditions", 0, 1),
        ("DescribeWriter", 1, 6),
        ("VerifyPayment", 6, None),
    ]


def test_a_skipped_run_has_the_reason() -> None:
    printed = {
        "status": "SUCCEEDED",
        "output": json.dumps({"preconditions": {"met": False, "reason": "another run is in progress"}}),
    }

    (run,) = read_runs(with_runs({"failover-1": {"printed": printed}}))

    assert (run.went_on, run.held_because) == (False, "another run is in progress")


def test_a_failed_run_has_the_input_of_its_last_state() -> None:
    printed = {"status": "FAILED", "error": "WriterTimeout", "cause": "after 900 s"}
    events = [
        entered("CheckPreconditions", 0),
        left("CheckPreconditions", 1, '{"preconditions": {"met": true}}'),
        entered("Fence", 1),
    ]

    (run,) = read_runs(with_runs({"failover-1": {"printed": printed, "events": events}}))

    assert (run.went_on, run.failure) == (True, "WriterTimeout: after 900 s")


def test_runs_of_earlier_drills_are_left_out() -> None:
    printed = {"status": "RUNNING"}

    runs = read_runs(
        with_runs({"failover-1": {"printed": printed}, "failback-2": {"printed": printed}}),
        besides=frozenset({"failover-1"}),
    )

    assert [run.name for run in runs] == ["failback-2"]


@pytest.fixture
def aws() -> Iterator[Deployment]:
    """Both regions on moto, with the log of the secondary's sentinel, a queue and a journal in the primary."""
    with mock_aws():
        clients: dict[tuple[str, Place], Any] = {
            (service, place): boto3.client(service, region_name=region)
            for service in ("logs", "sqs", "dynamodb")
            for place, region in REGIONS.items()
        }
        logs = clients["logs", Place.SECONDARY]
        logs.create_log_group(logGroupName="/aws/lambda/sentinel")
        logs.create_log_stream(logGroupName="/aws/lambda/sentinel", logStreamName="s")
        queue = clients["sqs", Place.PRIMARY].create_queue(QueueName="dead-letters")["QueueUrl"]
        clients["dynamodb", Place.PRIMARY].create_table(
            TableName="journal",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield deployed(
            client=lambda service, place: clients[service, place],
            primary={"messaging.dead_letter_url": queue, "compute.functions.sentinel.name": "sentinel"},
            secondary={"compute.functions.sentinel.name": "sentinel"},
            global_outputs={"journal_table": "journal"},
        )


def line(seconds: float, reason: str, **changes: Any) -> str:
    at = (BEGIN + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3] + "+0000"
    return json.dumps({"message": "decision", "timestamp": at, "verdict": "hold", "reason": reason} | changes)


def test_the_decisions_of_a_sentinel_are_read_from_its_log_and_nothing_else_is(aws: Deployment) -> None:
    now = datetime.now(UTC).timestamp()
    texts = [
        line(0, "too early"),
        line(10, "witness-peer-up"),
        "START RequestId: 1",
        line(12, "x", message="something else"),
        line(15, "witness-peer-up"),
        line(20, "peer-lost", verdict="act"),
    ]
    aws.client("logs", Place.SECONDARY).put_log_events(
        logGroupName="/aws/lambda/sentinel",
        logStreamName="s",
        logEvents=[{"timestamp": int(now * 1000), "message": text} for text in texts],
    )
    since = (BEGIN + timedelta(seconds=5)).timestamp()

    found = read_decisions(aws, Place.SECONDARY, since=since)

    assert [(each.reason, each.verdict) for each in found] == [
        ("witness-peer-up", "hold"),
        ("witness-peer-up", "hold"),
        ("peer-lost", "act"),
    ]
    assert [(each.reason, each.times) for each in condensed(found)] == [
        ("witness-peer-up", 2),
        ("peer-lost", 1),
    ]
    assert read_decisions(aws, Place.PRIMARY, since=since) == [], "it has not printed anything yet"


def test_decisions_of_two_regions_are_not_put_together() -> None:
    one = Decision(at=1.0, region="us-east-1", verdict="hold", reason="peer-answers")
    other = Decision(at=2.0, region="us-east-2", verdict="hold", reason="peer-answers")

    assert len(condensed([one, other])) == 2


def test_the_drills_own_entries_are_reported(aws: Deployment) -> None:
    client, queue = aws.client("sqs", Place.PRIMARY), aws.primary.messaging.dead_letter_url
    bodies: list[Any] = [
        {"kind": "poison-entry", "payment_id": "poison-lacking", "reason": "attribute amount is missing"},
        {"kind": "poison-entry", "payment_id": "somebody-else", "reason": "x"},
        ["no object"],
    ]
    for body in bodies:
        client.send_message(QueueUrl=queue, MessageBody=json.dumps(body))
    client.send_message(QueueUrl=queue, MessageBody="no JSON")

    assert read_poison(aws, Place.PRIMARY) == {"poison-lacking": "attribute amount is missing"}


def test_a_missing_queue_is_reported(aws: Deployment) -> None:
    gone = deployed(client=lambda *_: aws.client("sqs", Place.PRIMARY))

    with pytest.raises(ProbeError, match="dead letters in us-east-1 cannot be read"):
        read_poison(gone, Place.PRIMARY)


def test_poisoned_entries_are_put_and_taken_away_again(aws: Deployment) -> None:
    ctx = DrillContext(faults=System(), deployment=aws, outage_mode=OutageMode.RESET)
    poison = Poison()
    client = aws.client("dynamodb", Place.PRIMARY)

    asyncio.run(poison.do(ctx))
    assert {item["pk"]["S"] for item in client.scan(TableName="journal")["Items"]} == {
        "payment#poison-lacking",
        "payment#poison-refused",
    }

    asyncio.run(poison.rollback.do(ctx))
    assert client.scan(TableName="journal")["Items"] == []
