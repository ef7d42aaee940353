"""A sentinel with real endpoints, tables and state machines, and a clock of its own."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger
from botocore.session import Session
from sentinel.executions import StateMachines
from sentinel.loop import SentinelContext, SentinelLoop
from sentinel.probes import Prober
from sentinel.settings import Settings

from common.aws_clients import DynamoDbClients
from common.clock import Pace
from common.control.observe import ControlObserver
from common.control.rules import Witness
from common.endpoint_directory import EndpointDirectory
from common.table_replica import Replica
from common.telemetry import make_metrics
from tests.functions.harness import EAST_1, EAST_2, TABLE, Tables
from tests.functions.http_endpoint import HttpEndpoint, http_endpoint

_clients = DynamoDbClients()
START = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _present(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """moto stamps with the real time, which goes on while other tests run."""
    now = datetime.now(UTC)
    for names in (globals(), vars(request.module)):
        monkeypatch.setitem(names, "START", now)


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
        """The decisions of so many runs, a minute apart."""
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


def overload(scene: Scene) -> None:
    """The witness is down, since Route 53's checkers get the same answers."""
    scene.witness_peer = Witness.DOWN
    for each, status in zip(scene.endpoints[EAST_1], (502, 500), strict=True):
        each.status, each.body = status, {"message": "Internal server error"}
