"""The function as Lambda calls it, on moto: its queue, the schedule, operators' commands, and its responses."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.session import Session
from moto import mock_aws
from parameter_sync import application
from parameter_sync.application import Application, UnknownEventError
from parameter_sync.settings import Settings

from common.environment import EnvironmentProblem
from tests.functions.harness import EAST_1, EAST_2, LambdaContext

NAME = "/app/dev/external/api-key"
DELETIONS = "/parameter-sync/dev/deletions"
SECRET = "never-to-be-seen-1"


@dataclass
class Timed(LambdaContext):
    milliseconds: list[int] = field(default_factory=lambda: [300_000])  # what is left, at each question; then the last

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds.pop(0) if len(self.milliseconds) > 1 else self.milliseconds[0]


@dataclass
class Function:
    """The function of us-east-1, its queues, and clients of a person."""

    run: Callable[..., dict[str, Any]]
    log: io.StringIO
    clients: dict[tuple[str, str], Any]
    broken: dict[tuple[str, str], Exception]  # region and operation to what goes wrong
    queues: dict[str, str]

    def ssm(self, region: str = EAST_1) -> Any:
        return self.clients["ssm", region]

    def put(self, name: str = NAME, value: str = SECRET, *, region: str = EAST_1, **more: Any) -> None:
        self.ssm(region).put_parameter(Name=name, Value=value, **{"Type": "SecureString", **more})

    def value(self, name: str = NAME, *, region: str = EAST_2) -> str:
        return str(self.ssm(region).get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])

    def taken(self, queue: str) -> list[dict[str, Any]]:
        """Up to ten messages, which are then deleted."""
        sqs, url = self.clients["sqs", EAST_1], self.queues[queue]
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in got:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in got]

    def messages(self, queue: str) -> list[dict[str, Any]]:
        got = self.clients["sqs", EAST_1].receive_message(QueueUrl=self.queues[queue], MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in got.get("Messages", [])]

    def batch(self, *bodies: Any, receives: int = 1) -> list[str]:
        """Hand over messages as Lambda does; the ids of those that are to come again."""
        sqs, records = self.clients["sqs", EAST_1], []
        for number, body in enumerate(bodies):
            text = body if isinstance(body, str) else json.dumps(body)
            sqs.send_message(QueueUrl=self.queues["changes"], MessageBody=text)
            (message,) = sqs.receive_message(QueueUrl=self.queues["changes"])["Messages"]
            attributes = {"ApproximateReceiveCount": str(receives)}
            record = {"messageId": str(number), "receiptHandle": message["ReceiptHandle"], "body": text}
            records.append({**record, "eventSource": "aws:sqs", "attributes": attributes})
        return [each["itemIdentifier"] for each in self.run({"Records": records})["batchItemFailures"]]


def change(name: Any = NAME, **more: Any) -> dict[str, Any]:
    """An event as Parameter Store sends it [EVENTS-13]."""
    detail = {"operation": "Update", "name": name, "type": "SecureString"}
    return {
        "source": "aws.ssm",
        "detail-type": "Parameter Store Change",
        "detail": detail,
        "resources": ["arn"],
        **more,
    }


@pytest.fixture(scope="module")
def session() -> Session:
    return Session()


@pytest.fixture
def function(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Function]:
    broken: dict[tuple[str, str], Exception] = {}
    with mock_aws():
        make: Any = session.create_client
        clients = {
            (kind, region): make(kind, region_name=region) for kind in ("ssm", "sqs") for region in (EAST_1, EAST_2)
        }
        for region in (EAST_1, EAST_2):
            kms = make("kms", region_name=region)
            key = kms.create_key()["KeyMetadata"]["KeyId"]
            kms.create_alias(AliasName="alias/key-data-dev", TargetKeyId=key)
        queues = {name: clients["sqs", EAST_1].create_queue(QueueName=name)["QueueUrl"] for name in ("changes", "dead")}
        made = application._client

        def connected(session: Session, service: str, region: str) -> Any:
            client = made(session, service, region)

            def fail(model: Any, **_: Any) -> None:
                if problem := broken.get((region, model.name)) or broken.get((region, service)):
                    raise problem

            client.meta.events.register("before-call", fail)
            return client

        monkeypatch.setattr(application, "_client", connected)
        log = io.StringIO()
        settings = Settings.read(variables(QUEUE_URL=queues["changes"], DEAD_LETTER_URL=queues["dead"]))
        app = Application(settings, Logger(service=f"sync-{uuid4()}", stream=log), session)
        yield Function(lambda event, context=None: app.answer(event, context or Timed()), log, clients, broken, queues)
    output = log.getvalue() + capsys.readouterr().out
    assert SECRET not in output, "a value was logged"


def variables(**changed: str) -> dict[str, str]:
    return {
        "AWS_REGION": EAST_1,
        "PLACE": "primary",
        "PEER_REGION": EAST_2,
        "PREFIX": "/app/dev",
        "PRIVATE_PREFIX": "/app/dev/local",
        "KEY_ALIAS": "alias/key-data-dev",
        "COPIER_ROLES": "function-parameter_sync-primary-dev,function-parameter_sync-secondary-dev",
        "QUEUE_URL": "https://queue",
        "DEAD_LETTER_URL": "https://dead",
        "DELETIONS_PARAMETER": DELETIONS,
        "PEER_DELETIONS_PARAMETER": DELETIONS,
        "SETTLING_SECONDS": "0",
        "SERVICE_VERSION": "1",
        "METRICS_NAMESPACE": "dr-dev",
        **changed,
    }


def lost(region: str) -> Exception:
    return ConnectTimeoutError(endpoint_url=f"https://ssm.{region}.amazonaws.com")


def refused(code: str) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": SECRET}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(answer, "PutParameter")


def test_a_change_is_copied_and_logged_without_its_value(function: Function) -> None:
    function.put(Description="the key", Tags=[{"Key": "Owner", "Value": "me"}])

    assert function.batch(change(), change()) == []

    described = function.ssm(EAST_2).describe_parameters()["Parameters"][0]
    tags = function.ssm(EAST_2).list_tags_for_resource(ResourceType="Parameter", ResourceId=NAME)["TagList"]
    assert function.value() == SECRET
    assert (described["KeyId"], described["Description"]) == ("alias/key-data-dev", "the key")
    assert {"Key": "Place", "Value": "secondary"} in tags
    assert function.log.getvalue().count("parameter copied") == 1
    assert function.messages("dead") == []


def test_changes_and_deletions_follow(function: Function) -> None:
    function.put()
    function.batch(change())
    function.ssm(EAST_2).put_parameter(Name=NAME, Value="changed there", Overwrite=True)
    function.batch(change())
    there = function.value(region=EAST_1)
    function.ssm().delete_parameter(Name=NAME)

    assert function.batch(change(), {"operation": "sync", "name": "/app/dev/other"}) == []
    assert function.value() == "changed there", "deleted before more deletions could be seen"
    (message,) = function.messages("changes")
    assert function.batch(message) == []

    assert there == "changed there"
    assert [each["Name"] for each in function.ssm(EAST_2).describe_parameters()["Parameters"]] == [DELETIONS]


def test_a_change_of_tags_is_reported_by_another_event(function: Function) -> None:
    function.put()
    function.batch(change())
    tags = [{"Key": "Owner", "Value": "you"}]
    function.ssm(EAST_2).add_tags_to_resource(ResourceType="Parameter", ResourceId=NAME, Tags=tags)
    arn = f"arn:aws:ssm:{EAST_2}:000000000000:parameter{NAME}"

    function.batch({"source": "aws.tag", "detail-type": "Tag Change on Resource", "detail": {}, "resources": [arn]})

    found = function.ssm().list_tags_for_resource(ResourceType="Parameter", ResourceId=NAME)["TagList"]
    assert {"Key": "Owner", "Value": "you"} in found


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("not json " + SECRET, "not JSON"),
        ("[1]", "not a JSON object"),
        ({"hello": SECRET}, "neither a parameter change"),
        (change(name=7), "names no parameter"),
        (change(name="/app/prod/x"), "not below /app/dev/"),
        (change(name="/app/dev/local/endpoints"), "which each region has for itself"),
        ({"operation": "sync"}, "names no parameter"),
    ],
)
def test_what_is_no_change_of_ours_becomes_a_dead_letter_with_its_reason(
    function: Function, body: Any, reason: str
) -> None:
    assert function.batch(body) == []

    (letter,) = function.messages("dead")
    assert reason in next(iter(letter["reasons"].values()))
    assert SECRET not in json.dumps(letter)


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("PutParameter", "AccessDeniedException"),
        ("GetParameter", "AccessDeniedException"),
        ("PutParameter", "InvalidKeyId"),
    ],
)
def test_a_missing_permission_of_the_key_becomes_a_dead_letter(function: Function, operation: str, code: str) -> None:
    function.put()
    function.broken[EAST_2 if operation == "PutParameter" else EAST_1, operation] = refused(code)

    assert function.batch(change()) == []

    (letter,) = function.messages("dead")
    assert code in letter["reasons"][NAME]
    assert SECRET not in json.dumps(letter)


def test_a_value_that_is_too_large_becomes_a_dead_letter(function: Function) -> None:
    function.put(value="x" * 8193, Tier="Advanced", Type="String")

    assert function.batch(change()) == []
    assert "8193 bytes" in function.messages("dead")[0]["reasons"][NAME]


def test_a_throttled_change_comes_again_later_and_at_last_becomes_a_dead_letter(function: Function) -> None:
    function.put()
    function.broken[EAST_2, "PutParameter"] = refused("ThrottlingException")

    again = function.batch(change())
    at_last = function.batch(change(), receives=5)

    assert (again, at_last) == (["0"], [])
    assert "ThrottlingException, 5 times" in function.messages("dead")[0]["reasons"][NAME]


def test_a_lost_region_is_called_once_a_batch_and_its_changes_wait_for_the_reconciliation(
    function: Function,
) -> None:
    function.put()
    function.put("/app/dev/other")
    function.broken[EAST_2, "ssm"] = lost(EAST_2)

    again = function.batch(change(), change("/app/dev/other"))
    at_last = function.batch(change(), receives=5)

    assert (again, at_last) == (["0", "1"], [])
    assert function.messages("dead") == []
    assert "parameter-skipped" in function.log.getvalue()
    function.broken.clear()
    function.run({"operation": "reconcile"})
    assert (function.value(), function.value("/app/dev/other")) == (SECRET, SECRET)


def test_the_schedule_waits_for_a_lost_region(function: Function) -> None:
    function.broken[EAST_2, "ssm"] = lost(EAST_2)

    assert function.run({"operation": "reconcile"}) == {}
    assert "reconciliation-deferred" in function.log.getvalue()


def test_a_reconciliation_without_time_goes_on_where_it_stopped(function: Function) -> None:
    for number in range(25):
        function.put(f"/app/dev/{number:02}", Type="String")
        function.put(f"/app/dev/{number:02}", Type="String", value="other", region=EAST_2)
    function.put("/app/dev/local/own", Type="String")
    little = Timed(milliseconds=[300_000, 300_000, 1])

    function.run({"operation": "reconcile"}, little)

    (note,) = function.messages("changes")
    assert note == {"operation": "reconcile", "after": "/app/dev/19"}
    assert function.batch(note) == []
    here, there = (
        {
            each["Name"]: each["Value"]
            for each in function.ssm(region).get_parameters_by_path(Path="/app/dev")["Parameters"]
        }
        for region in (EAST_1, EAST_2)
    )
    assert here == there
    with pytest.raises(ClientError, match="ParameterNotFound"):
        function.value("/app/dev/local/own")


def test_a_synchronous_command_returns_what_was_done_and_what_not(function: Function) -> None:
    function.put()
    function.put("/app/dev/huge", value="x" * 8193, Tier="Advanced", Type="String")

    differing = function.run({"operation": "diff"})
    response = function.run({"operation": "reconcile", "waits": True, "deep": True})

    assert [each["name"] for each in differing["differences"]] == [NAME, "/app/dev/huge"]
    assert differing["differences"][0] == {
        "name": NAME,
        "parts": [f"missing in {EAST_2}"],
        "kept": EAST_1,
        "lost": "",
    }
    assert response["outcomes"] == [{"name": NAME, "action": "copied", "source": EAST_1, "lost": ""}]
    assert "8193" in response["failures"]["/app/dev/huge"]
    assert SECRET not in json.dumps([differing, response])
    assert function.messages("dead") == [], "who waits reads it here"


def test_an_unknown_event_is_refused(function: Function) -> None:
    with pytest.raises(UnknownEventError, match=r"\['secret'\]"):
        function.run({"secret": SECRET})


@pytest.mark.parametrize(
    ("changed", "named"),
    [({"PRIVATE_PREFIX": "/elsewhere"}, "PRIVATE_PREFIX"), ({"PEER_REGION": EAST_1}, "PEER_REGION")],
)
def test_settings_that_cannot_be_right_are_refused_by_name(changed: dict[str, str], named: str) -> None:
    with pytest.raises(EnvironmentProblem, match=named):
        Settings.read(variables(**changed))
