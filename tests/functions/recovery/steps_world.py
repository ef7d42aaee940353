"""The AWS resources of a recovery's steps: tables, state machines, topics and parameters."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.session import Session
from recovery import context
from recovery.context import RecoveryContext
from recovery.operations import perform

from common.aws_clients import DynamoDbClients
from common.clock import Pace
from tests.functions.harness import EAST_1, EAST_2, Tables
from tests.functions.recovery.settings import recovery_settings

_clients = DynamoDbClients()  # parses the service model once
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _present(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """moto stamps with the real time, which goes on while other tests run."""
    now = datetime.now(UTC)
    for names in (globals(), vars(request.module)):
        monkeypatch.setitem(names, "NOW", now)


ROLE = "arn:aws:iam::000000000000:role/states"
Perform = Callable[..., dict[str, Any]]


@pytest.fixture
def aws(tables: Tables, aws_session: Session) -> dict[str, Any]:
    """A topic that leads to a queue, and a state machine, in the survivor."""
    assert tables, "moto is not at work"
    made: dict[str, Any] = {
        name: aws_session.create_client(name, region_name=EAST_2) for name in ("sns", "sqs", "ssm", "stepfunctions")
    }
    made["topic"] = made["sns"].create_topic(Name="topic")["TopicArn"]
    made["queue"] = made["sqs"].create_queue(QueueName="people")["QueueUrl"]
    attributes = made["sqs"].get_queue_attributes(QueueUrl=made["queue"], AttributeNames=["QueueArn"])
    made["sns"].subscribe(TopicArn=made["topic"], Protocol="sqs", Endpoint=attributes["Attributes"]["QueueArn"])
    made["machine"] = made["stepfunctions"].create_state_machine(
        name="failover", definition='{"StartAt": "A", "States": {}}', roleArn=ROLE
    )["stateMachineArn"]
    return made


@pytest.fixture
def ctx(tables: Tables, aws: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> RecoveryContext:
    class ConnectedClients:
        def dynamodb(self, region: str, *, timeout_seconds: float) -> Any:
            client = _clients.dynamodb(region, timeout_seconds=timeout_seconds)
            tables.connect(client)
            return client

    monkeypatch.setattr(context, "DynamoDbClients", ConnectedClients)
    return replace(context.make_context(recovery_settings(topic_arn=aws["topic"])), pace=Pace(now=lambda: NOW))


def start(aws: dict[str, Any], name: str) -> str:
    """A run of the state machine; its ARN."""
    return str(aws["stepfunctions"].start_execution(stateMachineArn=aws["machine"], name=name)["executionArn"])


def check_preconditions(
    ctx: RecoveryContext, execution: str, *, machine: str = "failover", **request: Any
) -> dict[str, Any]:
    asked = {"region": EAST_1, **request}
    event = {"operation": "check-preconditions", "machine": machine, "execution": execution, "request": asked}
    return perform({**event, "started_at": NOW.isoformat()}, ctx)


def fence(ctx: RecoveryContext, *, epoch: int = 0, by: str = "run-1") -> dict[str, Any]:
    return perform({"operation": "fence", "region": EAST_1, "epoch": epoch, "by": by}, ctx)


def publish(ctx: RecoveryContext, *, epoch: int = 0, region: str = EAST_2) -> dict[str, Any]:
    return perform({"operation": "publish", "writer_region": region, "epoch": epoch, "by": "run-1"}, ctx)


def without(silent: str, ctx: RecoveryContext) -> Callable[[str, str], Any]:
    """The context's clients, but one service never answers."""

    class Silent:
        exceptions = ctx.own_client("ssm").exceptions

        def __getattr__(self, _operation: str) -> Any:
            raise EndpointConnectionError(endpoint_url=f"https://{silent}")

    return lambda service, region: Silent() if service == silent else ctx.client(service, region)


def notification(aws: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Subject and message of what is in the queue."""
    (received,) = aws["sqs"].receive_message(QueueUrl=aws["queue"])["Messages"]
    body = json.loads(received["Body"])
    return body["Subject"], json.loads(body["Message"])
