"""Runs of the state machines as a person starts, follows and answers them, on the embedded Step Functions."""

import json
import runpy
import signal
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from components.failover.failover import failback_definition, failover_definition
from localaws.core.environment import ACCOUNT
from ops.environment import search as finding
from ops.environment.aws import Caller
from ops.environment.search import Environment, environment
from ops.failover import commands
from ops.failover import executions as machine
from shared.aws_sessions import LocalAccess, Sessions
from shared.command_line import CouldNotStart, Incomplete, Interrupted, Refused
from shared.deployment import DeploymentError
from shared.naming import Names
from shared.places import Place
from shared.settings import GlobalSettings
from tests.local.embedded import EAST_1, EAST_2, LocalAws, deploy_function, eventually
from tests.ops.conftest import Ops

SETTINGS = GlobalSettings.model_validate({"dr:environment": "other", "dr:suffix": "other"})
ROOT = Path(__file__).resolve().parents[2]
MOMENT = datetime(2026, 11, 21, tzinfo=UTC)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"


def accepted_by_the_machines(request: dict[str, Any]) -> Any:
    """`request` as the state machines' functions parse it, which rejects what they do not know."""
    functions = ROOT / "functions"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(functions))
        return runpy.run_path(str(functions / "recovery" / "models.py"))["Request"].model_validate(request)


class World:
    """An environment of its own, on which machines are made by our names."""

    def __init__(self, aws: LocalAws, suffix: str) -> None:
        self.aws = aws
        self.environment = Environment(
            name="dev",
            names=Names(suffix),
            regions={Place.PRIMARY: EAST_1, Place.SECONDARY: EAST_2},
            account=ACCOUNT,
            sessions=Sessions(LocalAccess(endpoint=aws.server.endpoint, account=ACCOUNT)),
        )

    def states(self, place: Place) -> Any:
        return self.environment.client("stepfunctions", place)

    def machine(self, kind: str, place: Place, states: Mapping[str, Any]) -> str:
        """A machine by our name in the region of `place`, made of `states`, the first one first."""
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}
        made = self.states(place).create_state_machine(
            name=self.environment.names.regional(kind, place), definition=json.dumps(definition), roleArn=ROLE
        )
        return str(made["stateMachineArn"])

    def journal(self, place: Place) -> None:
        """A replica of the journal in which nobody has fenced anything."""
        self.environment.client("dynamodb", place).create_table(
            TableName=self.environment.names.journal_table,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def run(self, kind: str, place: Place, request: dict[str, Any]) -> None:
        """As the commands do: start it, and follow it to its end."""
        arn = machine.machine_arn(self.environment, kind, place)
        commands.follow(self.states(place), commands.start(self.states(place), arn, "by-hand", request), "dev")


@pytest.fixture
def world(aws: LocalAws, name: str) -> World:
    return World(aws, f"s{name.rpartition('-')[2][:8]}")


def test_a_run_is_printed_step_by_step_and_ends_with_its_measurements(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = {
        "preconditions": {"met": True},
        "metrics": {"seconds": {"writer_change": 61.0}, "payments": {"missing": 7}},
    }
    world.machine(
        "failover",
        Place.SECONDARY,
        {
            "CheckPreconditions": {"Type": "Pass", "Next": "CanProceed"},
            "CanProceed": {"Type": "Pass", "Next": "Fence"},
            "Fence": {"Type": "Pass", "Output": measured, "Next": "Done"},
            "Done": {"Type": "Succeed"},
        },
    )

    world.run("failover", Place.SECONDARY, {"region": EAST_1})

    lines = capsys.readouterr().out
    assert lines.index("CheckPreconditions: checks") < lines.index("Fence: fences the region")
    assert "CanProceed" not in lines
    assert "writer change" in lines
    assert "61.0 s" in lines
    assert "payments missing" in lines


def test_a_run_that_its_guard_held_is_refused_with_the_reason(world: World) -> None:
    held = {"preconditions": {"met": False, "reason": "this region is fenced itself"}}
    world.machine("failback", Place.PRIMARY, {"CheckPreconditions": {"Type": "Pass", "Output": held, "End": True}})

    with pytest.raises(Refused, match="skipped and changed nothing: this region is fenced itself"):
        world.run("failback", Place.PRIMARY, {"region": EAST_2})


def test_a_run_that_failed_is_incomplete_with_its_cause(world: World) -> None:
    failing = {
        "CheckPreconditions": {"Type": "Fail", "Error": "PaymentNotPosted", "Cause": "not in the ledger in time"}
    }
    world.machine("failover", Place.SECONDARY, failing)

    with pytest.raises(Incomplete, match="failed: PaymentNotPosted not in the ledger in time"):
        world.run("failover", Place.SECONDARY, {"region": EAST_1})


def test_a_machine_that_is_not_there_or_at_work_already_is_not_started(world: World) -> None:
    with pytest.raises(CouldNotStart, match="is not deployed"):
        world.run("failover", Place.SECONDARY, {"region": EAST_1})
    arn = world.machine(
        "failover", Place.SECONDARY, {"CheckPreconditions": {"Type": "Wait", "Seconds": 600, "End": True}}
    )
    client = world.states(Place.SECONDARY)
    run = client.start_execution(stateMachineArn=arn, name="first", input="{}")["executionArn"]

    with pytest.raises(CouldNotStart, match=f"first is running in {EAST_2} already"):
        world.run("failover", Place.SECONDARY, {"region": EAST_1})
    client.stop_execution(executionArn=run)


@pytest.mark.parametrize("approved", [True, False])
def test_a_question_is_found_with_its_token_and_answered(world: World, approved: bool) -> None:
    function = deploy_function(
        world.aws, f"ask-{world.environment.names.suffix}", "def handler(event, context):\n    return {}\n", EAST_2
    )
    asking = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Arguments": {"FunctionName": function, "Payload": {"token": "{% $states.context.Task.Token %}"}},
        "TimeoutSeconds": 600,
        "Output": {"preconditions": {"met": True}, "answer": "{% $states.result %}"},
        "End": True,
    }
    arn = world.machine(
        "failover",
        Place.SECONDARY,
        {"CheckPreconditions": {"Type": "Pass", "Next": "WaitForApproval"}, "WaitForApproval": asking},
    )
    world.machine("failover", Place.PRIMARY, {"CheckPreconditions": {"Type": "Succeed"}})
    assert machine.find_waiting(world.environment) is None
    client = world.states(Place.SECONDARY)
    run = client.start_execution(stateMachineArn=arn, input="{}")["executionArn"]

    waiting = eventually(lambda: machine.find_waiting(world.environment), within=120)
    assert waiting is not None
    assert (waiting.place, waiting.run) == (Place.SECONDARY, run)
    assert waiting.token not in repr(waiting)
    world.aws.lose(EAST_1)
    assert machine.find_waiting(world.environment) == waiting, "the other region's loss hides it"
    world.aws.heal(EAST_1)
    machine.answer(client, waiting, approved=approved, by="someone", reason="seen the graphs")

    ended = machine.follow(client, run, lambda _: None, pause=0.05)
    if approved:
        assert (ended.status, ended.document["answer"]["approved_by"]) == ("SUCCEEDED", "someone")
    else:
        assert (ended.status, ended.error) == ("FAILED", "Declined")
        assert ended.cause == "declined by someone: seen the graphs"
    assert machine.find_waiting(world.environment) is None


def test_no_waiting_run_is_distinguished_from_no_response(world: World) -> None:
    world.machine("failover", Place.PRIMARY, {"CheckPreconditions": {"Type": "Succeed"}})
    world.aws.lose(EAST_2)
    assert machine.find_waiting(world.environment) is None
    world.aws.lose(EAST_1)

    with pytest.raises(ClientError, match="is unavailable"):
        machine.find_waiting(world.environment)


def test_a_question_that_was_answered_asks_nobody_any_more() -> None:
    entered = {"stateEnteredEventDetails": {"name": "WaitForApproval"}, "timestamp": MOMENT}
    scheduled = {"taskScheduledEventDetails": {"parameters": '{"Payload": {"token": "t"}}'}, "timestamp": MOMENT}

    assert machine.approval_request([entered, scheduled]) == (MOMENT, "t")
    assert (
        machine.approval_request([entered, scheduled, {"stateExitedEventDetails": {"name": "WaitForApproval"}}]) is None
    )
    assert machine.approval_request([{"stateEnteredEventDetails": {"name": "VerifyPayment"}}, scheduled]) is None


def test_a_region_is_meant_by_its_name_or_its_place_and_no_other(world: World) -> None:
    place_of = world.environment.place_of

    assert place_of(EAST_2) is place_of("secondary") is Place.SECONDARY
    with pytest.raises(CouldNotStart, match=r"eu-west-1 is no region of dev; it is in us-east-1 \(primary\)"):
        place_of("eu-west-1")


def test_every_printed_step_is_a_state_of_the_machines() -> None:
    definitions = [
        failover_definition("r", "l", needs_approval=True),
        failback_definition("r"),
    ]
    states = {state for each in definitions for state in json.loads(each)["States"]}

    assert set(machine.STEPS) <= states
    silent = {
        "CanProceed",
        "ApprovalRequired",
        "Skipped",
        "ChooseWriterChange",
        "SwitchoverStarted",
        "SwitchoverEnded",
        "WaitForSwitchover",
        "WriterReady",
        "WaitForWriter",
        "OwnRegionFenced",
        "ReplayComplete",
        "Done",
        "Failed",
    }
    assert states - set(machine.STEPS) <= silent


@pytest.mark.parametrize("local", [False, True], ids=["on AWS", "on this machine"])
def test_who_we_are_is_asked_where_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, local: bool
) -> None:
    asked: list[str] = []
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "build/local/endpoints.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"environment": "dev", "aws": "http://127.0.0.1:1", "account": ACCOUNT}))

    def silent_in_the_secondary(region: str, sessions: Sessions) -> Caller:
        asked.append(region)
        endpoint = sessions.client("sts", region).meta.endpoint_url
        assert endpoint == ("http://127.0.0.1:1" if local else f"https://sts.{region}.amazonaws.com")
        if region == EAST_2:
            raise CouldNotStart("silent")
        return Caller(account=ACCOUNT, arn="arn:aws:iam::1:user/someone")

    monkeypatch.setattr(finding, "caller", silent_in_the_secondary)

    for lost in (EAST_2, "secondary", ""):
        found = environment("dev", local=local, lost=lost)
        assert found.account == ACCOUNT
        assert found.names.regional("failover", Place.PRIMARY) == "failover-primary-dev"
    assert asked == [EAST_1, EAST_1, EAST_2, EAST_1]
    with pytest.raises(CouldNotStart, match="silent"):
        environment("dev", local=local, lost=EAST_1)


def test_another_environment_on_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DeploymentError, match="make local-up"):
        environment("dev", local=True)
    file = tmp_path / "build/local/endpoints.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"environment": "prod", "aws": "http://127.0.0.1:1", "account": ACCOUNT}))
    with pytest.raises(DeploymentError, match="dev was requested, but prod runs on this machine"):
        environment("dev", local=True)


def asked_of(world: World, kind: str, place: Place) -> dict[str, Any]:
    """The input of the one run of a machine."""
    client = world.states(place)
    arn = machine.machine_arn(world.environment, kind, place)
    (run,) = client.list_executions(stateMachineArn=arn)["executions"]
    found: dict[str, Any] = json.loads(client.describe_execution(executionArn=run["executionArn"])["input"])
    return found


@pytest.mark.parametrize(
    ("mode", "asked"),
    [("unplanned", ("unplanned", False)), ("planned", ("planned", False)), ("forced", ("unplanned", True))],
)
def test_a_failover_by_hand_asks_the_survivor_for_what_was_meant(
    world: World, ops: Ops, monkeypatch: pytest.MonkeyPatch, mode: str, asked: tuple[str, bool]
) -> None:
    monkeypatch.setattr(commands, "environment", lambda *_, **__: world.environment)
    world.machine("failover", Place.PRIMARY, {"CheckPreconditions": {"Type": "Pass", "End": True}})
    words = ("failover", "--region", EAST_2, "--mode", mode, "--reason", "it limps")

    refused = ops(*words, typed="prod\n")
    answer = ops(*words, typed="dev\n")

    assert (refused.exit_code, answer.exit_code) == (2, 0), refused.output + answer.output
    assert f"{mode}: {EAST_2} (secondary) is fenced, {EAST_1} (primary) takes over" in answer.output
    request = accepted_by_the_machines(asked_of(world, "failover", Place.PRIMARY))
    assert (request.region, request.reason, request.mode, request.forced) == (EAST_2, "it limps", *asked)
    assert request.by


@pytest.mark.parametrize(("writer", "back"), [(EAST_2, EAST_1), (EAST_1, EAST_2)])
def test_a_failback_is_run_where_the_writer_is_and_brings_the_other_region_back(
    world: World, ops: Ops, monkeypatch: pytest.MonkeyPatch, writer: str, back: str
) -> None:
    monkeypatch.setattr(commands, "environment", lambda *_, **__: world.environment)
    monkeypatch.setattr(commands, "writer", lambda *_: writer)
    place = world.environment.place_of(writer)
    world.journal(place)
    world.machine("failback", place, {"CheckPreconditions": {"Type": "Pass", "End": True}})

    answer = ops("failback", "--env", "dev", "--yes")

    assert answer.exit_code == 0, answer.output
    request = accepted_by_the_machines(asked_of(world, "failback", place))
    assert (request.region, request.writer_region) == (back, EAST_1)


def test_ctrl_c_leaves_the_run_alone_and_reports_that(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = world.machine(
        "failover", Place.SECONDARY, {"CheckPreconditions": {"Type": "Wait", "Seconds": 600, "End": True}}
    )
    run = machine.start(world.states(Place.SECONDARY), arn, "watched", {})

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ops.failover.executions.time.sleep", interrupt)
    with pytest.raises(Interrupted, match="watched continues unobserved") as raised:
        commands.follow(world.states(Place.SECONDARY), run, "dev")

    assert raised.value.number == signal.SIGINT
    assert machine.running(world.states(Place.SECONDARY), arn) == run
    world.states(Place.SECONDARY).stop_execution(executionArn=run)
