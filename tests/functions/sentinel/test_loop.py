"""A sentinel at work on real endpoints, tables and state machines, with a clock of its own."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import EndpointConnectionError
from botocore.session import Session
from sentinel.decision import Runs
from sentinel.executions import StateMachines
from sentinel.loop import SentinelContext, SentinelLoop
from sentinel.probes import Prober
from sentinel.settings import Settings

from common.aws_clients import DynamoDbClients
from common.clock import Pace, timestamp
from common.control.observe import ControlObserver
from common.control.rules import Witness
from common.endpoint_directory import EndpointDirectory
from common.environment import EnvironmentProblem
from common.health_endpoints import EndpointsNotFound
from common.table_replica import Replica
from common.telemetry import flush, make_metrics
from tests.functions.harness import EAST_1, EAST_2, TABLE, Tables
from tests.functions.http_endpoint import HttpEndpoint, http_endpoint

_clients = DynamoDbClients()
START = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _present(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto stamps with the real time, which goes on while other tests run."""
    monkeypatch.setitem(globals(), "START", datetime.now(UTC))


ROLE = "arn:aws:iam::000000000000:role/states"
ENVIRONMENT = {
    "AWS_REGION": EAST_2,
    "PLACE": "secondary",
    "PEER_REGION": EAST_1,
    "JOURNAL_TABLE": TABLE,
    "ENDPOINTS_PREFIX": "/app/dev/endpoints",
    "WITNESS_NAME": "witness-secondary.dr-dev.internal",
    "PEER_WITNESS_NAME": "witness-primary.dr-dev.internal",
    "FAILOVER_ARN": "set by the fixture",
    "FAILBACK_ARN": "set by the fixture",
    "SERVICE_VERSION": "1.2.3",
    "METRICS_NAMESPACE": "dr-test",
}


@dataclass
class ParameterStore:
    """Parameter Store with the URLs of the endpoints. `fault`: how it fails, if it does."""

    urls: dict[str, str]
    fault: Exception | None = None

    def get_parameters(self, *, Names: list[str]) -> dict[str, Any]:
        if self.fault:
            raise self.fault
        return {"Parameters": [{"Name": name, "Value": self.urls[name]} for name in Names if name in self.urls]}


@dataclass
class Scene:
    """A sentinel in us-east-2 that monitors us-east-1. `lose_after` seconds of its run the peer's endpoints fail."""

    tables: Tables
    states: Any
    failover: str
    loop: SentinelLoop
    log: io.StringIO
    endpoints: dict[str, list[HttpEndpoint]]
    parameters: ParameterStore
    directory: Callable[[], EndpointDirectory]
    now: float = 0.0
    lose_after: float | None = None
    witness_own: Witness = Witness.UP
    witness_peer: Witness = Witness.UP
    witness_agrees_after: float | None = None  # seconds after the loss
    started_at: list[float] = field(default_factory=list)

    def pass_time(self, seconds: float) -> None:
        """Health checkers call the own region whenever its witness is up."""
        self.now += seconds
        if self.witness_own is Witness.UP:
            self.loop.ctx.control._checked_at = START.timestamp() + self.now
        if self.lose_after is not None and self.now >= self.lose_after:
            self.tables.silent = {EAST_1}
            for each in self.endpoints[EAST_1]:
                each.fail()
            if self.witness_agrees_after is not None and self.now >= self.lose_after + self.witness_agrees_after:
                self.witness_peer = Witness.DOWN

    def run(self, runs: int = 1) -> list[str]:
        """What was decided by so many runs, a minute apart."""
        decisions: list[str] = []
        for _ in range(runs):
            began = self.now
            decisions += self.loop.run(lambda: 60.0 - (self.now - began))["decisions"]  # noqa: B023
            self.pass_time(max(0.0, began + 60 - self.now))
        return decisions

    def restart(self) -> None:
        """Continue in a new execution environment, with an empty memory."""
        old = self.loop
        machines = StateMachines(
            self.states,
            failover_arn=old.settings.failover_arn,
            failback_arn=old.settings.failback_arn,
            pace=old.pace,
        )
        ctx = replace(old.ctx, endpoints=self.directory(), machines=machines)
        self.loop = replace(old, ctx=ctx, _endpoints={})

    def executions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.states.list_executions(stateMachineArn=self.failover)["executions"]
        return found

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


@pytest.fixture
def scene(tables: Tables, aws_session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    states: Any = aws_session.create_client("stepfunctions", region_name=EAST_2)
    machines = {
        name: states.create_state_machine(name=name, definition='{"StartAt": "A", "States": {}}', roleArn=ROLE)[
            "stateMachineArn"
        ]
        for name in ("failover", "failback")
    }
    settings = Settings.read(
        {**ENVIRONMENT, "FAILOVER_ARN": machines["failover"], "FAILBACK_ARN": machines["failback"]}
    )
    with http_endpoint() as a, http_endpoint() as b, http_endpoint() as c, http_endpoint() as d:
        endpoints = {EAST_1: [a, b], EAST_2: [c, d]}
        made: list[Scene] = []

        class ConnectedClients:
            def dynamodb(self, region: str, *, timeout_seconds: float) -> Any:
                client = _clients.dynamodb(region, timeout_seconds=timeout_seconds)
                tables.connect(client)
                return client

        pace = Pace(
            sleep_real=lambda seconds: made[0].pass_time(seconds),
            monotonic=lambda: made[0].now,
            now=lambda: START + timedelta(seconds=made[0].now),
        )
        log = io.StringIO()
        logger = Logger(service=f"sentinel-{uuid4()}", stream=log)
        urls = {
            f"{settings.endpoints_prefix}/{region}/{name}": endpoints[region][number].url
            for region in endpoints
            for number, name in enumerate(("load-balancer", "api"))
        }
        parameters = ParameterStore(urls)

        def directory() -> EndpointDirectory:
            client: Any = ConnectedClients().dynamodb(EAST_2, timeout_seconds=1)
            return EndpointDirectory(
                lambda: parameters,
                prefix=settings.endpoints_prefix,
                local=Replica(client, region=EAST_2, table=TABLE),
                warn=lambda event, **fields: logger.warning("endpoints", event=event, **fields),
                keeps=True,
            )

        control = ControlObserver.from_settings(settings, ConnectedClients())  # type: ignore[arg-type]
        monkeypatch.setattr(control, "_clock", lambda: START.timestamp() + made[0].now)
        monkeypatch.setattr(control, "_witness", lambda: made[0].witness_own)
        ctx = SentinelContext(
            control=control,
            machines=StateMachines(
                states,
                failover_arn=settings.failover_arn,
                failback_arn=settings.failback_arn,
                pace=pace,
            ),
            query_peer_witness=lambda: made[0].witness_peer,
            endpoints=directory(),
        )
        loop = SentinelLoop(
            settings=settings,
            ctx=ctx,
            prober=Prober(deadline_seconds=1),
            pace=pace,
            logger=logger,
            metrics=make_metrics("sentinel", settings.metrics_namespace),
        )
        made.append(Scene(tables, states, machines["failover"], loop, log, endpoints, parameters, directory))
        start = states.start_execution

        def started(**asked: Any) -> Any:
            made[0].started_at.append(made[0].now)
            return start(**asked)

        monkeypatch.setattr(states, "start_execution", started)
        yield made[0]


def put(scene: Scene, key: str, **fields: str | int) -> None:
    item: dict[str, Any] = {
        name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in fields.items()
    }
    for region in (EAST_1, EAST_2):
        scene.tables.put(region, {"pk": {"S": key}, **item})


def test_while_the_peer_answers_a_run_leaves_one_line(scene: Scene) -> None:
    assert scene.run() == ["peer-answers"]

    (line,) = scene.lines()
    assert (line["message"], line["verdict"], line["reason"]) == ("decision", "hold", "peer-answers")
    assert line["evidence"]["rounds"]["last"] == {"api": "ok", "load-balancer": "ok"}
    assert scene.executions() == []


@pytest.mark.parametrize("lose_after", [60.5, 72.0, 99.0, 114.9])
def test_a_lost_region_is_acted_upon_within_45_seconds(scene: Scene, lose_after: float) -> None:
    scene.lose_after, scene.witness_agrees_after = lose_after, 40.0

    scene.run(4)

    assert len(scene.executions()) == 1, "it was started again while it runs"
    assert scene.started_at[0] - lose_after <= 45
    asked = json.loads(scene.states.describe_execution(executionArn=scene.executions()[0]["executionArn"])["input"])
    assert (asked["region"], asked["epoch"], asked["by"]) == (EAST_1, 0, "sentinel")
    assert asked["failing_since"] < asked["detected_at"]


def overload(scene: Scene) -> None:
    """The witness is down, since Route 53's checkers get the same answers."""
    scene.witness_peer = Witness.DOWN
    for each, status in zip(scene.endpoints[EAST_1], (502, 500), strict=True):
        each.status, each.body = status, {"message": "Internal server error"}


def test_an_overloaded_region_is_left_alone(scene: Scene) -> None:
    overload(scene)

    assert set(scene.run(9)) <= {"not-enough-failures", "peer-overloaded"}
    assert scene.executions() == []
    (line, *_) = [line for line in scene.lines() if line["reason"] == "peer-overloaded"]
    assert line["evidence"]["rounds"]["last"] == {"api": "overloaded", "load-balancer": "overloaded"}
    assert line["evidence"]["peer_journal"]


def test_a_region_that_stays_overloaded_counts_as_lost(scene: Scene) -> None:
    overload(scene)

    scene.run(11)

    assert len(scene.executions()) == 1
    assert 600 <= scene.started_at[0] < 605


def test_an_overloaded_region_whose_journal_is_gone_as_well_is_lost_at_once(scene: Scene) -> None:
    scene.run()  # so that the witness vouches for this region without a gap
    overload(scene)
    scene.tables.silent = {EAST_1}

    scene.run()

    assert len(scene.executions()) == 1


def test_two_sentinels_start_one_run(scene: Scene) -> None:
    scene.lose_after, scene.witness_agrees_after = 60.5, 0.0
    machines = scene.loop.ctx.machines
    scene.run(2)
    (run,) = scene.executions()
    stem, _, attempt = run["name"].rpartition("-")

    assert machines.start(stem, Runs(attempts=int(attempt)), {"region": EAST_1}) == run["name"]
    assert len(scene.executions()) == 1


def test_a_region_that_comes_and_goes_is_left_alone(scene: Scene) -> None:
    scene.witness_peer = Witness.DOWN
    real = scene.pass_time

    def flap(seconds: float) -> None:
        real(seconds)
        for each in scene.endpoints[EAST_1]:
            (each.fail if int(scene.now / 10) % 2 else each.recover)()

    scene.pass_time = flap  # type: ignore[method-assign]
    decisions = scene.run(3)

    assert scene.executions() == []
    assert set(decisions) <= {"peer-answers", "not-enough-failures"}
    assert "not-enough-failures" in decisions


def test_one_endpoint_that_answers_is_enough(scene: Scene) -> None:
    scene.endpoints[EAST_1][0].fail()

    assert scene.run(2) == ["peer-answers"] * 2


@pytest.mark.parametrize("reported", ["fenced", "returning"])
def test_a_fenced_region_that_answers_is_not_lost(scene: Scene, reported: str) -> None:
    put(scene, f"region#{EAST_1}", state="fenced", epoch=1, since="2026-11-20T10:00:00.000000Z", by="run")
    scene.witness_peer = Witness.DOWN
    for each in scene.endpoints[EAST_1]:
        each.fail(503, reported)

    assert set(scene.run(2)) == {"peer-answers"}
    assert scene.executions() == []


@pytest.mark.parametrize(("witness", "reason"), [(Witness.UP, "witness-peer-up"), (Witness.SILENT, "witness-silent")])
def test_without_the_witness_nothing_is_started(scene: Scene, witness: Witness, reason: str) -> None:
    scene.lose_after, scene.witness_peer = 10.0, witness

    decisions = scene.run(2)

    assert scene.executions() == []
    assert reason in decisions
    (line, *_) = [line for line in scene.lines() if line["reason"] == reason]
    assert line["evidence"]["witness_peer"] == witness.value
    assert line["evidence"]["rounds"]["failed"] >= 4


def test_when_its_own_endpoints_fail_too_the_sentinel_holds(scene: Scene) -> None:
    scene.lose_after, scene.witness_agrees_after = 10.0, 0.0
    for each in scene.endpoints[EAST_2]:
        each.fail()

    assert "own-endpoints-fail-too" in scene.run(2)
    assert scene.executions() == []


def test_a_region_that_cannot_read_its_own_journal_does_not_take_over(scene: Scene) -> None:
    scene.lose_after, scene.witness_agrees_after = 10.0, 0.0
    scene.run()
    lose = scene.pass_time

    def lose_both(seconds: float) -> None:
        lose(seconds)
        scene.tables.silent = {EAST_1, EAST_2}

    scene.pass_time = lose_both  # type: ignore[method-assign]
    before = len(scene.executions())
    scene.loop.ctx.machines._client.stop_execution(executionArn=scene.executions()[0]["executionArn"])
    decisions = scene.run()

    assert "own-journal-unreadable" in decisions
    assert len(scene.executions()) == before


def test_runs_that_fail_are_followed_by_others_with_growing_pauses_as_long_as_the_loss_lasts(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.lose_after, scene.witness_agrees_after = 10.0, 0.0
    scene.loop.settings = scene.loop.settings.model_copy(update={"eager_interval_seconds": 10.0})
    describe = scene.states.describe_execution

    def on_this_clock(**asked: str) -> dict[str, Any]:
        """moto stops an execution at the real time."""
        found: dict[str, Any] = describe(**asked)
        number = int(found["name"].rpartition("-")[2])
        ended = START + timedelta(seconds=scene.started_at[number])
        return {**found, "stopDate": ended, "status": "FAILED"}

    monkeypatch.setattr(scene.states, "describe_execution", on_this_clock)
    for minute in range(65):
        scene.run()
        for run in scene.states.list_executions(stateMachineArn=scene.failover, statusFilter="RUNNING")["executions"]:
            scene.states.stop_execution(executionArn=run["executionArn"])
        if minute == 20:
            scene.restart()

    pauses = [round((later - earlier) / 60) for earlier, later in pairwise(scene.started_at)]
    assert pauses == [1, 2, 4, 8, 15, 15, 15], "minutes from one run to the next"
    assert {line["reason"] for line in scene.lines() if line.get("verdict") == "act"} == {"peer-lost"}
    names = sorted(run["name"] for run in scene.executions())
    assert names == [f"failover-{EAST_1}-0-0-{attempt}" for attempt in range(8)]


def test_a_failover_that_failed_after_it_moved_the_writer_is_finished(scene: Scene) -> None:
    scene.lose_after, scene.witness_agrees_after = 10.0, 0.0
    scene.run()
    (first,) = scene.executions()
    put(scene, f"control#run#{EAST_2}", execution=first["executionArn"], since=timestamp(START))
    put(scene, f"region#{EAST_1}", state="fenced", epoch=1, since=timestamp(START), by=first["name"])
    put(scene, "control#writer", region=EAST_2, epoch=1, since=timestamp(START), by=first["name"])
    scene.states.stop_execution(executionArn=first["executionArn"])

    scene.run(2)

    (second,) = [run for run in scene.executions() if run["status"] == "RUNNING"]
    assert second["name"] == f"failover-{EAST_1}-1-1-0"
    asked = json.loads(scene.states.describe_execution(executionArn=second["executionArn"])["input"])
    assert (asked["epoch"], asked["reason"]) == (1, "failover-unfinished")


@pytest.mark.parametrize(
    ("writer", "state", "unable"), [(EAST_2, "fenced", 1), (EAST_2, "active", 0), (EAST_1, "fenced", 0)]
)
def test_a_region_without_a_survivor_is_reported(
    scene: Scene, capsys: pytest.CaptureFixture[str], writer: str, state: str, unable: int
) -> None:
    put(scene, f"region#{EAST_1}", state=state, epoch=1, since=timestamp(START), by="anna")
    put(scene, "control#writer", region=writer, epoch=1, since=timestamp(START), by="anna")

    scene.run()
    flush(scene.loop.metrics)

    published = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert published["PeerUnableToTakeOver"] == [unable]


@pytest.mark.parametrize(("by", "started"), [(f"failover-{EAST_1}-0-0-0", 1), ("by-hand-planned-1", 0)])
def test_a_region_that_a_failover_fenced_returns_after_ten_minutes_of_health(
    scene: Scene, by: str, started: int
) -> None:
    put(scene, f"region#{EAST_1}", state="fenced", epoch=1, since=timestamp(START), by=by)
    put(scene, "control#writer", region=EAST_2, epoch=1, since=timestamp(START), by=by)
    for each in scene.endpoints[EAST_1]:
        each.fail(status_text="fenced")
    failback = scene.failover.replace("failover", "failback")

    scene.run(9)
    assert scene.states.list_executions(stateMachineArn=failback)["executions"] == []
    scene.run(3)

    found = scene.states.list_executions(stateMachineArn=failback)["executions"]
    assert len(found) == started
    for each in found:
        asked = json.loads(scene.states.describe_execution(executionArn=each["executionArn"])["input"])
        assert (asked["region"], asked["writer_region"], asked["mode"]) == (EAST_1, EAST_2, "return")
    assert scene.executions() == []


def test_a_failback_that_failed_is_finished_by_nobody(scene: Scene) -> None:
    scene.lose_after, scene.witness_agrees_after = 10.0, 0.0
    back = scene.states.start_execution(stateMachineArn=scene.failover.replace("failover", "failback"), name="back")
    put(scene, f"control#run#{EAST_2}", execution=back["executionArn"], since=timestamp(START))
    put(scene, f"region#{EAST_1}", state="fenced", epoch=1, since=timestamp(START), by="run")
    put(scene, "control#writer", region=EAST_2, epoch=1, since=timestamp(START), by="run")
    scene.states.stop_execution(executionArn=back["executionArn"])

    assert "peer-already-fenced" in scene.run(2)
    assert scene.executions() == []


def test_the_addresses_of_an_earlier_run_are_good_enough(scene: Scene) -> None:
    scene.run()
    scene.parameters.fault = EndpointConnectionError(endpoint_url="https://ssm")

    assert scene.run() == ["peer-answers"]
    assert "stale-endpoints" in [line.get("event") for line in scene.lines()]


@pytest.mark.parametrize("gone", ["silent", "deleted"])
def test_a_new_environment_without_parameter_store_monitors_by_the_copy_in_the_journal(scene: Scene, gone: str) -> None:
    scene.run()
    if gone == "silent":
        scene.parameters.fault = EndpointConnectionError(endpoint_url="https://ssm")
    else:
        scene.parameters.urls.clear()
    scene.restart()
    scene.lose_after, scene.witness_agrees_after = scene.now + 10.0, 0.0

    assert "peer-lost" in scene.run(2)
    assert len(scene.executions()) == 1


def test_without_parameter_store_and_without_a_copy_the_sentinel_fails_by_name(scene: Scene) -> None:
    scene.parameters.urls.clear()

    with pytest.raises(EndpointsNotFound, match="deploy the global stack"):
        scene.run()


def test_endpoints_that_have_moved_replace_the_copy(scene: Scene) -> None:
    scene.run()
    before = scene.tables.items(EAST_2)[f"endpoints#{EAST_2}#{EAST_1}"]
    scene.parameters.urls[f"/app/dev/endpoints/{EAST_1}/api"] = scene.endpoints[EAST_1][0].url
    scene.run()

    after = scene.tables.items(EAST_2)[f"endpoints#{EAST_2}#{EAST_1}"]
    assert json.loads(after["urls"]["S"])["api"] == scene.endpoints[EAST_1][0].url
    assert before != after
    assert f"endpoints#{EAST_2}#{EAST_1}" not in scene.tables.items(EAST_1), "each region writes its own replica"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FAILURES", "6"),
        ("PROBE_TIMEOUT_SECONDS", "6"),
        ("RETRY_SECONDS", "901"),
        ("PEER_REGION", EAST_2),
        ("CLOCK_SPEED", "0"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(name: str, value: str) -> None:
    with pytest.raises(EnvironmentProblem, match=name):
        Settings.read({**ENVIRONMENT, name: value})


@pytest.mark.parametrize(("speed", "seconds"), [("1", 2.0), ("2", 1.0), ("10", 0.7)])
def test_an_endpoint_whose_cell_waits_for_an_unreachable_peer_is_given_the_time_however_quick_the_clock(
    speed: str, seconds: float
) -> None:
    settings = Settings.read({**ENVIRONMENT, "PEER_TIMEOUT_MS": "500", "CLOCK_SPEED": speed})

    assert settings.probe_deadline == pytest.approx(seconds)
