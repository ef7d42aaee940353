"""Operations that an interrupted deployment left in the state: what was created is recorded, the rest is dropped."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from ops.rollout import pending
from shared.aws_sessions import Sessions
from shared.command_line import CouldNotStart, Incomplete
from tests.ops.conftest import Ops
from tests.ops.stand_in import Answer, Call, PulumiStandIn

VPC = "aws:ec2/vpc:Vpc"
LOGS = "aws:cloudwatch/logGroup:LogGroup"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:dev::dr-primary::dr:region:Region${type_}::{name}"


PROVIDER = {
    "urn": "urn:pulumi:dev::dr-primary::pulumi:providers:aws::east",
    "custom": True,
    "id": "some-id",
    "type": "pulumi:providers:aws",
    "inputs": {"region": "us-east-1"},
}


def resource(type_: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "urn": urn(type_, name),
        "custom": True,
        "type": type_,
        "inputs": {"name": name},
        "provider": f"{PROVIDER['urn']}::some-id",
        **more,
    }


def recorded(type_: str, name: str, **more: Any) -> dict[str, Any]:
    return resource(type_, name, **{"id": name, "outputs": {"name": name}, **more})


def creating(*resources: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"resource": each, "type": "creating"} for each in resources]


@pytest.fixture(autouse=True)
def _account() -> Iterator[None]:
    with mock_aws():
        yield


class Stack:
    """The state of `primary`, and the run of `settle` on it."""

    def __init__(self, pulumi: PulumiStandIn) -> None:
        self._pulumi = pulumi

    def hold(self, *resources: dict[str, Any], operations: list[dict[str, Any]]) -> None:
        self._pulumi.deployments["primary"] = {
            "resources": [PROVIDER, *resources],
            "pending_operations": operations,
        }

    def settle(self, **options: Any) -> None:
        pending.settle(["primary"], "dev", Sessions().client, **{"yes": True, **options})

    @property
    def resources(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._pulumi.deployments["primary"]["resources"][1:]
        return found

    @property
    def targets(self) -> list[str]:
        """The refreshed resources."""
        words = [word for call in self._pulumi.of("refresh") for word in call.words]
        return [words[at + 1] for at, word in enumerate(words) if word == "--target"]


@pytest.fixture
def stack(pulumi: PulumiStandIn) -> Stack:
    return Stack(pulumi)


def test_a_state_without_pending_operations_is_left_alone(stack: Stack, pulumi: PulumiStandIn) -> None:
    stack.hold(recorded(LOGS, "/logs"), operations=[])

    stack.settle(yes=False)

    assert [call.verb for call in pulumi.calls] == ["stack export"]


def test_a_stack_that_was_never_deployed_has_nothing_to_settle(stack: Stack, pulumi: PulumiStandIn) -> None:
    stack.settle(yes=False)

    assert [call.verb for call in pulumi.calls] == ["stack export"]


def test_an_interrupted_creation_is_recorded_without_outputs_and_then_read(stack: Stack, pulumi: PulumiStandIn) -> None:
    before = recorded(LOGS, "/before")
    new = resource(LOGS, "/logs", inputs={"name": "/logs", "secret": SECRET})
    stack.hold(before, operations=creating(new))

    stack.settle()

    assert stack.resources == [before, {**new, "id": "/logs"}]
    assert pulumi.deployments["primary"]["pending_operations"] == []
    assert stack.targets == [new["urn"]]
    assert all("--show-secrets" not in call.words for call in pulumi.calls)


def test_a_creation_that_made_nothing_is_dropped(
    stack: Stack, pulumi: PulumiStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.hold(operations=creating(resource(VPC, "vpc", inputs={"cidrBlock": "10.0.0.0/16", "tagsAll": {"a": "b"}})))

    stack.settle()

    assert stack.resources == []
    assert pulumi.of("refresh") == []
    assert "primary: vpc: the next deployment creates it" in capsys.readouterr().out


def test_two_that_have_no_names_are_both_recorded_and_a_third_one_is_reported(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    ec2 = boto3.client("ec2", region_name="us-east-1")
    tags: Any = [{"ResourceType": "vpc", "Tags": [{"Key": "a", "Value": "b"}]}]
    made = [ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags)["Vpc"]["VpcId"] for _ in range(4)]
    inputs = {"cidrBlock": "10.0.0.0/16", "tagsAll": {"a": "b"}}
    old = recorded(VPC, "old", id=made[0], inputs=inputs)
    stack.hold(old, operations=creating(*(resource(VPC, name, inputs=inputs) for name in ("one", "two"))))

    stack.settle()

    ids = [each["id"] for each in stack.resources]
    assert ids[0] == made[0]
    assert len({*ids}) == 3
    (left,) = {*made} - {*ids}
    assert f"{left} is like two; delete it if nothing uses it" in capsys.readouterr().out


def test_other_interrupted_operations_are_dropped_and_their_resources_read(stack: Stack) -> None:
    changed, gone = recorded(LOGS, "/changed"), recorded(LOGS, "/gone")
    stack.hold(
        changed,
        gone,
        operations=[
            {"resource": {**changed, "inputs": {"name": "/changed", "retentionInDays": 7}}, "type": "updating"},
            {"resource": gone, "type": "deleting"},
        ],
    )

    stack.settle()

    assert stack.resources == [changed, gone]
    assert stack.targets == [changed["urn"], gone["urn"]]


def test_the_predecessor_of_a_replacement_is_still_to_be_deleted(stack: Stack) -> None:
    old, dependent = recorded(ALARM, "alarm", id="old"), recorded(ALARM, "dependent")
    old["inputs"] = {"name": "old"}
    new = resource(ALARM, "alarm", inputs={"name": "new"})
    stack.hold(old, dependent, operations=creating(new))

    stack.settle()

    assert [(each["id"], each.get("delete", False)) for each in stack.resources] == [
        ("new", False),
        ("old", True),
        ("dependent", False),
    ]


def test_the_predecessor_of_a_replacement_that_was_not_created_is_kept(stack: Stack, pulumi: PulumiStandIn) -> None:
    old = recorded(ALARM, "alarm", id="old", inputs={"name": "old"})
    stack.hold(old, operations=creating(resource(ALARM, "alarm", inputs={"name": "new"})))

    def read(call: Call) -> Answer | None:
        """As the engine does for what AWS does not have."""
        if call.verb == "refresh":
            resources = pulumi.deployments["primary"]["resources"]
            pulumi.deployments["primary"]["resources"] = [each for each in resources if each["id"] != "new"]
        return None

    pulumi.answer = read
    stack.settle()

    assert stack.resources == [old]


def test_the_predecessor_that_was_deleted_first_is_replaced_in_its_place(stack: Stack) -> None:
    old, dependent = recorded(ALARM, "alarm", pendingReplacement=True), recorded(ALARM, "dependent")
    stack.hold(old, dependent, operations=creating(resource(ALARM, "alarm")))

    stack.settle()

    assert [each["id"] for each in stack.resources] == ["alarm", "dependent"]
    assert "pendingReplacement" not in stack.resources[0]


@pytest.mark.parametrize("changed", [False, True])
def test_what_another_deployment_created_since_is_not_replaced(stack: Stack, changed: bool) -> None:
    since = recorded(ALARM, "alarm", inputs={"name": "alarm", **({"threshold": 5} if changed else {})})
    stack.hold(since, operations=creating(resource(ALARM, "alarm")))

    stack.settle()

    assert stack.resources == [since]


def test_a_type_that_cannot_be_looked_up_stops_before_anything_changes(stack: Stack, pulumi: PulumiStandIn) -> None:
    stack.hold(operations=creating(resource("aws:mq/broker:Broker", "broker")))

    with pytest.raises(CouldNotStart, match=r"broker \(aws:mq/broker:Broker\).*--clear-pending-creates"):
        stack.settle()

    assert not pulumi.of("stack import")


def test_components_and_providers_are_simply_created_again(stack: Stack) -> None:
    component = resource("dr:network:Network", "network", custom=False)
    stack.hold(operations=creating(component, {**PROVIDER, "urn": f"{PROVIDER['urn']}-2"}))

    stack.settle()

    assert stack.resources == []


def test_without_confirmation_nothing_is_imported(
    stack: Stack, pulumi: PulumiStandIn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda: "no")
    stack.hold(operations=creating(resource(LOGS, "/logs")))

    with pytest.raises(CouldNotStart):
        stack.settle(yes=False)

    assert f"  /logs ({LOGS}), interrupted while creating" in capsys.readouterr().out
    assert not pulumi.of("stack import", "refresh")


def test_an_interruption_between_record_and_reading_is_made_up_for(stack: Stack, pulumi: PulumiStandIn) -> None:
    stack.hold(operations=creating(resource(LOGS, "/logs")))
    pulumi.failing.add(("refresh", "primary"))
    with pytest.raises(Incomplete, match="fix the cause, then continue with the same command"):
        stack.settle()
    pulumi.failing.clear()
    pulumi.calls.clear()

    stack.settle(yes=False)

    assert stack.targets == [urn(LOGS, "/logs")]
    assert not pulumi.of("stack import")


def test_the_lock_that_an_interruption_left_is_removed(stack: Stack, pulumi: PulumiStandIn) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    stack.hold(operations=creating(resource(LOGS, "/logs")))
    held, others = pulumi.answer, "the stack is currently locked by 1 lock(s)."
    holder = f"  file:///state/1.json: created by me@{socket.gethostname()} (pid {ended.pid}) at 2026-11-30T10:00:00Z"

    def answer(call: Call) -> Answer | None:
        locked = call.verb == "stack import" and not pulumi.of("cancel")
        return Answer(err=f"error: {others}\n{holder}\n", status=255) if locked else held(call)

    pulumi.answer = answer
    stack.settle()

    assert len(pulumi.of("cancel")) == 1
    assert len(pulumi.of("stack import")) == 2
    assert stack.targets == [urn(LOGS, "/logs")]


def test_operations_in_a_lost_region_stay_as_they_are(stack: Stack, pulumi: PulumiStandIn) -> None:
    stack.hold(operations=creating(resource(LOGS, "/logs")))

    stack.settle(excluded="us-east-1")

    assert [call.verb for call in pulumi.calls] == ["stack export"]


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize(("command", "verb"), [("deploy", "up"), ("refresh", "refresh"), ("destroy", "destroy")])
def test_a_command_settles_before_it_does_its_own_work(
    stack: Stack, pulumi: PulumiStandIn, ops: Ops, command: str, verb: str
) -> None:
    stack.hold(operations=creating(resource(LOGS, "/logs")))
    read: list[list[str]] = []

    def note(call: Call) -> Answer | None:
        if call.verb == verb and "--target" not in call.words:
            read.append([each["urn"] for each in stack.resources])
        return None

    pulumi.answer = note
    answer = ops(command, "primary", "--env", "dev", "--yes")

    assert answer.exit_code == 0, answer.output
    assert read == [[urn(LOGS, "/logs")]]
    assert json.dumps(SECRET) not in answer.output


def test_the_name_of_the_environment_confirms(stack: Stack, pulumi: PulumiStandIn, ops: Ops) -> None:
    stack.hold(operations=creating(resource(LOGS, "/logs")))

    answer = ops("refresh", "primary", "--env", "dev", typed="dev\n")

    assert answer.exit_code == 0, answer.output
    assert [call.verb for call in pulumi.calls].count("refresh") == 2
