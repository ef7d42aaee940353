"""The steps of a recovery that change records, notify operators or check preconditions."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.session import Session
from recovery import context, database, errors, preconditions
from recovery.context import RecoveryContext
from recovery.operations import perform

from common.aws_clients import DynamoDbClients
from common.clock import Pace
from common.control.memory import memory_key, memory_of, store_memory
from common.control.records import RegionState
from common.control.rules import Witness
from common.table_replica import ReplicaUnavailable
from tests.functions.harness import EAST_1, EAST_2, Tables
from tests.functions.recovery.settings import PARAMETER, recovery_settings

_clients = DynamoDbClients()  # parses the service model once
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _present(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto stamps with the real time, which goes on while other tests run."""
    monkeypatch.setitem(globals(), "NOW", datetime.now(UTC))


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


def test_a_run_for_a_lost_region_may_proceed(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    found = check_preconditions(ctx, start(aws, "run-1"), epoch=0, failing_since=NOW.isoformat())

    assert found["met"], found["reason"]
    assert (found["region"], found["epoch"], found["writer_region"], found["writer_epoch"]) == (EAST_1, 0, EAST_2, 0)


def test_of_two_runs_one_proceeds_and_the_other_after_its_end(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    first, second = start(aws, "run-1"), start(aws, "run-2")
    assert check_preconditions(ctx, first)["met"]

    held = check_preconditions(ctx, second)
    again = check_preconditions(ctx, first)
    aws["stepfunctions"].stop_execution(executionArn=first)

    assert (held["met"], held["reason"]) == (False, "another execution is in progress: run-1")
    assert again["met"], "a step that is tried again must not be held by itself"
    assert check_preconditions(ctx, second)["met"]


@pytest.mark.parametrize(("seconds", "met"), [(0, False), (59, False), (61, True)])
def test_a_run_that_step_functions_does_not_find_yet_keeps_its_slot_for_a_minute(
    ctx: RecoveryContext, aws: dict[str, Any], monkeypatch: pytest.MonkeyPatch, seconds: int, met: bool
) -> None:
    """DescribeExecution is eventually consistent."""
    first, second = start(aws, "run-1"), start(aws, "run-2")
    assert check_preconditions(ctx, first)["met"]
    monkeypatch.setattr(preconditions, "_status", lambda *_: None)

    found = check_preconditions(replace(ctx, pace=Pace(now=lambda: NOW + timedelta(seconds=seconds))), second)

    assert found["met"] is met, found["reason"]


def test_a_run_that_was_decided_on_an_older_state_is_held(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    fence(ctx, by="somebody")

    held = check_preconditions(ctx, start(aws, "run-1"), epoch=0)

    assert not held["met"]
    assert "epoch 0" in held["reason"]
    assert "now at 1" in held["reason"]


def test_a_run_that_fenced_the_region_itself_proceeds_when_the_step_is_retried(
    ctx: RecoveryContext, aws: dict[str, Any]
) -> None:
    execution = start(aws, "run-1")
    check_preconditions(ctx, execution, epoch=0)
    fence(ctx, by="run-1")

    assert check_preconditions(ctx, execution, epoch=0)["met"]


def test_a_failover_that_is_done_is_not_done_again_unless_forced(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    fence(ctx, by="somebody")
    publish(ctx)
    execution = start(aws, "run-2")

    assert "already" in check_preconditions(ctx, execution, epoch=1)["reason"]
    assert check_preconditions(ctx, execution, epoch=1, forced=True)["met"]


@pytest.mark.parametrize("retried", [False, True], ids=["once", "retried"])
def test_what_a_failed_run_left_undone_the_next_one_finishes_at_once(
    ctx: RecoveryContext, aws: dict[str, Any], retried: bool
) -> None:
    first, second = start(aws, "run-1"), start(aws, "run-2")
    check_preconditions(ctx, first, epoch=0)
    fence(ctx)
    perform({"operation": "publish", "writer_region": EAST_2, "epoch": 0, "by": "run-1"}, replace(ctx, pace=Pace()))
    aws["stepfunctions"].stop_execution(executionArn=first)
    later = replace(ctx, pace=Pace(now=lambda: NOW + timedelta(hours=2)))
    if retried:
        check_preconditions(later, second, epoch=1, failing_since=later.now())

    found = check_preconditions(later, second, epoch=1, failing_since=later.now())

    assert (found["met"], found["resumes"]) == (True, True), found["reason"]


def test_a_failback_that_failed_leaves_no_failover_to_finish(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    machine = aws["stepfunctions"].create_state_machine(
        name="failback", definition='{"StartAt": "A", "States": {}}', roleArn=ROLE
    )["stateMachineArn"]
    back = aws["stepfunctions"].start_execution(stateMachineArn=machine, name="back-1")["executionArn"]
    fence(ctx, by="somebody")
    publish(ctx)
    assert check_preconditions(ctx, back, machine="failback")["met"]
    aws["stepfunctions"].stop_execution(executionArn=back)

    held = check_preconditions(ctx, start(aws, "run-2"), epoch=1)

    assert (held["met"], held["resumes"]) == (False, False)
    assert "already" in held["reason"]


def test_a_run_soon_after_another_change_is_held(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    publish(ctx, region=EAST_2)
    execution = start(aws, "run-2")

    assert "the cool-down is 300 s" in check_preconditions(ctx, execution)["reason"]
    later = replace(ctx, pace=Pace(now=lambda: NOW + timedelta(seconds=400)))
    assert check_preconditions(later, execution)["met"]


def test_a_region_that_is_fenced_does_not_take_over(ctx: RecoveryContext, aws: dict[str, Any], tables: Tables) -> None:
    tables.put(EAST_2, {"pk": {"S": f"region#{EAST_2}"}, "state": {"S": "fenced"}, "epoch": {"N": "1"}})

    refused = check_preconditions(ctx, start(aws, "run-1"))
    assert refused["reason"] == f"this region is fenced itself; if {EAST_1} is down, force the failover: MODE=forced"

    forced = check_preconditions(ctx, start(aws, "run-2"), forced=True)
    assert (forced["met"], forced["own_fenced"], forced["own_epoch"]) == (True, True, 1)
    assert (forced["vouched"], forced["may_be_fenced"]) == ("peer-down", True)


def test_a_region_that_may_have_been_fenced_unnoticed_takes_over_after_a_longer_wait(
    ctx: RecoveryContext, aws: dict[str, Any], tables: Tables
) -> None:
    ctx.observer.observe()
    tables.silent = {EAST_1}
    long_ago = memory_of(tables.items(EAST_2)[memory_key(EAST_2)], ctx.settings.regions)
    assert long_ago
    store_memory(ctx.local, ctx.settings.regions, replace(long_ago, vouched_at=0.0, revision=long_ago.revision + 1))
    ctx.observer.observe(fresh=True)

    found = check_preconditions(ctx, start(aws, "run-1"))
    assert (found["met"], found["own_fenced"], found["vouched"], found["may_be_fenced"]) == (
        True,
        False,
        "nothing",
        True,
    )


def test_an_operator_overrides_the_fence_of_the_own_region_while_the_other_is_silent(
    ctx: RecoveryContext, tables: Tables
) -> None:
    tables.put(EAST_2, {"pk": {"S": f"region#{EAST_2}"}, "state": {"S": "fenced"}, "epoch": {"N": "1"}})
    tables.silent = {EAST_1}
    assert not ctx.observer.observe().decision.healthy

    perform({"operation": "override-fence", "epoch": 1, "by": "anna"}, ctx)

    record = ctx.control.records().own
    assert (record.state, record.epoch, record.by) == (RegionState.ACTIVE, 2, "anna")
    assert ctx.observer.observe(fresh=True).decision.healthy


def test_the_own_region_cannot_be_left_from_within(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    assert not check_preconditions(ctx, start(aws, "run-1"), region=EAST_2)["met"]


def test_a_failback_needs_something_to_bring_back(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    execution = start(aws, "back-1")
    assert "not fenced" in check_preconditions(ctx, execution, machine="failback")["reason"]
    fence(ctx)
    publish(ctx)

    found = check_preconditions(ctx, execution, machine="failback")

    assert found["met"], found["reason"]
    assert (found["writer_region"], found["epoch"], found["writer_epoch"]) == (EAST_1, 1, 1)


def test_a_fence_reports_since_when_the_peer_holds_it(ctx: RecoveryContext, tables: Tables) -> None:
    tables.silent = {EAST_1}
    alone = fence(ctx)
    tables.silent = set()
    known = fence(ctx)

    assert (alone["changed"], alone["peer"], alone["peer_fenced_since"]) == (True, "ConnectTimeoutError", None)
    assert (known["changed"], known["peer"]) == (False, "in-sync")
    assert known["peer_fenced_since"]


def test_a_fence_on_an_older_epoch_is_refused_by_name(ctx: RecoveryContext) -> None:
    fence(ctx)
    perform({"operation": "unfence", "region": EAST_1, "epoch": 1, "by": "back"}, ctx)

    with pytest.raises(errors.EpochConflict):
        fence(ctx, epoch=0)


def test_the_writer_is_published_in_the_own_region(ctx: RecoveryContext, aws: dict[str, Any], tables: Tables) -> None:
    aws["ssm"].put_parameter(Name=PARAMETER, Value=EAST_1, Type="String")

    first, again = publish(ctx), publish(ctx)

    assert (first["epoch"], first["changed"]) == (1, True)
    assert (again["epoch"], again["changed"]) == (1, False)
    assert tables.items(EAST_2)["control#writer"]["region"] == {"S": EAST_2}
    assert aws["ssm"].get_parameter(Name=PARAMETER)["Parameter"]["Value"] == EAST_1, "a step of its own"


def test_the_writer_is_published_in_the_control_record_without_parameter_store(
    ctx: RecoveryContext, tables: Tables
) -> None:
    world = replace(ctx, client=without("ssm", ctx))

    assert publish(world)["changed"]
    assert tables.items(EAST_2)["control#writer"]["region"] == {"S": EAST_2}
    with pytest.raises(errors.ServiceUnavailable, match="Parameter Store did not answer"):
        perform({"operation": "publish-parameter", "writer_region": EAST_2}, world)


def test_the_writers_parameter_is_written_once(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    aws["ssm"].put_parameter(Name=PARAMETER, Value=EAST_1, Type="String")
    event = {"operation": "publish-parameter", "writer_region": EAST_2}

    first, again = perform(event, ctx), perform(event, ctx)

    assert (first["parameter"], again["parameter"]) == ("written", "unchanged")
    parameter = aws["ssm"].get_parameter(Name=PARAMETER)["Parameter"]
    assert (parameter["Value"], parameter["Version"]) == (EAST_2, 2), "each version is an event for the other region"


def test_endpoints_are_found_without_parameter_store_by_the_sentinels_copy(
    ctx: RecoveryContext, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent() -> Any:
        raise EndpointConnectionError(endpoint_url="https://ssm")

    monkeypatch.setattr(ctx.directory, "_ssm", silent)
    with pytest.raises(errors.ServiceUnavailable):
        ctx.endpoints(EAST_2)
    urls = {"load-balancer": "https://nlb", "api": "https://api"}
    tables.put(EAST_2, {"pk": {"S": f"endpoints#{EAST_2}#{EAST_2}"}, "urls": {"S": json.dumps(urls)}})

    assert ctx.endpoints(EAST_2).urls() == urls


def test_a_region_is_not_unfenced_before_its_replica_holds_it(ctx: RecoveryContext, tables: Tables) -> None:
    fence(ctx)
    tables.silent = {EAST_1}
    with pytest.raises(errors.PeerUnreachable):
        perform({"operation": "unfence", "region": EAST_1, "epoch": 1, "by": "back"}, ctx)
    tables.silent = set()

    again = perform({"operation": "unfence", "region": EAST_1, "epoch": 1, "by": "back"}, ctx)

    assert again["epoch"] == 2
    assert tables.items(EAST_1)[f"region#{EAST_1}"]["state"] == {"S": "active"}


def test_an_unavailable_own_journal_fails_the_step(ctx: RecoveryContext, tables: Tables) -> None:
    tables.silent = {EAST_2}

    with pytest.raises(ReplicaUnavailable):
        fence(ctx)


def test_operators_get_the_whole_result(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    document = {"preconditions": {"region": EAST_1}, "metrics": {"seconds": {"run": 71.5}}}
    event = {"operation": "notify", "machine": "failover", "execution": "arn:run-1", "outcome": "succeeded"}

    perform({**event, "document": document}, ctx)

    subject, message = notification(aws)
    assert subject == "failover of us-east-1 succeeded"
    assert message["metrics"]["seconds"] == {"run": 71.5}
    assert message["sent_from"] == EAST_2


def test_operators_can_answer_with_the_commands_they_are_sent(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    perform({"operation": "request-approval", "token": "TOKEN", "execution": "arn:run-1", "region": EAST_1}, ctx)

    subject, message = notification(aws)
    assert subject == "Approval needed: promote the database in us-east-2"
    assert "--task-token 'TOKEN'" in message["approve"]
    assert "send-task-failure" in message["decline"]


@pytest.mark.parametrize(
    ("queried_before", "witness", "unbroken"),
    [(5, Witness.DOWN, True), (20, Witness.DOWN, False), (5, Witness.UP, None), (5, Witness.SILENT, None)],
)
def test_only_an_unbroken_down_of_the_witness_counts(
    ctx: RecoveryContext, queried_before: int, witness: Witness, unbroken: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_not_writing", lambda *_: None)
    ctx.observer.observe(by_checker=True)
    world = replace(ctx, query_peer_witness=lambda: witness)
    since = (NOW - timedelta(seconds=60)).isoformat()
    last = (NOW - timedelta(seconds=queried_before)).isoformat()
    event = {"operation": "describe-writer", "region": EAST_2, "lost": EAST_1, "since": since}

    found = perform({**event, "down_since": since, "down_at": last}, world)

    assert found["ready"] is (unbroken is True)
    assert found["down_since"] == {True: since, False: found["at"], None: None}[unbroken]


def test_a_lost_region_that_holds_its_fence_need_not_be_waited_for(
    ctx: RecoveryContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_not_writing", lambda *_: None)
    world = replace(ctx, query_peer_witness=lambda: Witness.UP)
    event = {"operation": "describe-writer", "region": EAST_2, "lost": EAST_1, "since": NOW.isoformat()}
    fenced = {seconds: (NOW - timedelta(seconds=seconds)).isoformat() for seconds in (4, 6)}

    assert not perform({**event, "peer_fenced_since": fenced[4]}, world)["ready"]
    assert perform({**event, "peer_fenced_since": fenced[6]}, world)["ready"]


@pytest.mark.parametrize(("down", "ready"), [(60, False), (324, False), (326, True)])
def test_a_region_that_may_be_fenced_waits_for_the_long_lease_of_the_lost_one(
    ctx: RecoveryContext, down: int, *, ready: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_not_writing", lambda *_: None)
    ctx.observer.observe(by_checker=True)
    world = replace(ctx, query_peer_witness=lambda: Witness.DOWN)
    since, last = ((NOW - timedelta(seconds=seconds)).isoformat() for seconds in (down, 2))
    event = {"operation": "describe-writer", "region": EAST_2, "lost": EAST_1, "since": since}

    found = perform({**event, "down_since": since, "down_at": last, "may_be_fenced": True}, world)

    assert found["ready"] is ready


def test_a_claim_after_the_long_wait_begins_a_new_chain(ctx: RecoveryContext, tables: Tables) -> None:
    """Also where the region was the writer before, so that its claim changes no record."""
    publish(ctx)
    ctx.observer.observe()
    tables.silent = {EAST_1}
    cut_off = memory_of(tables.items(EAST_2)[memory_key(EAST_2)], ctx.settings.regions)
    assert cut_off
    store_memory(ctx.local, ctx.settings.regions, replace(cut_off, vouched_at=None, revision=cut_off.revision + 1))
    assert ctx.observer.observe(fresh=True).view.is_cut_off

    event = {"operation": "publish", "writer_region": EAST_2, "epoch": 1, "by": "run-2", "may_be_fenced": True}
    assert not perform(event, ctx)["changed"]

    assert not ctx.observer.observe(fresh=True).view.is_cut_off


def test_a_writer_that_never_comes_ends_the_run(ctx: RecoveryContext) -> None:
    world = replace(ctx, query_peer_witness=lambda: Witness.UP)
    event = {"operation": "describe-writer", "region": EAST_2, "lost": EAST_1}

    with pytest.raises(errors.WriterTimeout, match="not certain yet that us-east-1 has stopped"):
        perform({**event, "since": (NOW - timedelta(seconds=901)).isoformat()}, world)
