"""A scripted system for the tests of the runner; it records what is done to it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from drill.engine.runner import Runner
from drill.load.client import ClientPolicy
from drill.load.generator import LoadGenerator
from drill.load.payments import payments
from drill.model.attempts import Intent
from drill.model.context import DrillContext
from drill.model.errors import ActionError, ProbeError
from drill.model.expectation import HealthSettings
from drill.model.faults import Effect, OutageMode
from drill.model.scenario import Scenario
from drill.model.status import ControlCall, Row, Status
from drill.observe.observer import Journals, Ledgers
from drill.observe.progress import Progress
from drill.observe.sentinel_log import Decision
from drill.runlog.entries import Entry
from drill.verdict.result import Limits, RunResult
from shared.aws_sessions import Sessions
from shared.deployment import Deployment, Local
from shared.places import Place
from tests.drill.answers import deployment
from tests.drill.payment_server import Answer, accept, payment_server

REGIONS = {Place.PRIMARY: "us-east-1", Place.SECONDARY: "us-east-2"}


class System:
    """Both the fault injector and the observer of a runner. Times are those of the machine."""

    def __init__(
        self,
        *,
        returns: bool = True,
        refused_recoveries: int = 0,
        unobserved: bool = False,
        healthy: bool = True,
        calls: tuple[ControlCall, ...] = (),
        changes: dict[str, list[str]] | None = None,
        mute: bool = False,
    ) -> None:
        self.done: list[str] = []
        self.lost = False
        self._returns, self._refused_recoveries, self._unobserved, self._healthy = (
            returns,
            refused_recoveries,
            unobserved,
            healthy,
        )
        self._calls, self.changes, self._mute = calls, changes or {}, mute

    async def status(self) -> Status:
        if self._unobserved and self.lost:
            raise ProbeError("no answer")
        ok = self._healthy and not self.lost and (self._returns or not self.done)
        states = {"us-east-1": "healthy" if ok else "unhealthy", "us-east-2": "healthy"}
        return Status.model_validate(
            {"targets": [{"region": region, "target_group": "t", "state": state} for region, state in states.items()]}
        )

    async def posted(self, _status: Status) -> int:
        raise ProbeError("there is no writer")

    def _record(self, what: str) -> None:
        if self._mute:
            raise ProbeError("no answer")
        self.done.append(what)

    async def ledgers(self) -> tuple[Ledgers, list[str]]:
        return {}, []

    async def journals(self, _intents: Sequence[Intent]) -> Journals:
        return {}

    async def decisions(self, **_: Any) -> Sequence[Decision]:
        return ()

    async def rows(self, _status: Status, region: str) -> dict[str, Row]:
        self._record(f"read {region}")
        return {}

    async def second_run(self) -> dict[str, list[str]]:
        self._record("again")
        return self.changes

    async def mark_calls(self) -> None:
        self._record("mark")

    async def calls(self) -> list[ControlCall]:
        self._record("count")
        return list(self._calls)

    async def inject(
        self,
        effect: Effect,
        regions: Sequence[str],
        *,
        mode: OutageMode,
        aws_seconds: float = 0.0,
        service: str = "",
        amount: float = 0.0,
    ) -> None:
        detail = {Effect.REGION_OUTAGE: f" {mode}", Effect.REPLICA_LAG: f" {aws_seconds:g}"}.get(
            effect, f" {amount:g}" if amount else ""
        )
        self.done.append(f"{effect} {' '.join(regions)}{detail} {service}".rstrip())
        self.lost = self.lost or effect is Effect.REGION_OUTAGE

    async def recover(self, effect: Effect, regions: Sequence[str], *, service: str = "") -> None:
        if self._refused_recoveries:
            self._refused_recoveries -= 1
            raise ActionError("no answer")
        self.done.append(f"end {effect} {' '.join(regions)} {service}".rstrip())
        self.lost = self.lost and effect is not Effect.REGION_OUTAGE

    async def recycle_workers(self) -> None:
        self.done.append("recycle")


class Pages:
    """A run log in memory."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def write(self, entry: Entry) -> None:
        self.entries.append(entry)


def refuse_clients(service: str, place: Place) -> Any:
    raise AssertionError(f"a client of {service} in the {place} region was made")


class _Sessions(Sessions):
    """Gives the clients of a test."""

    def __init__(self, client: Callable[[str, Place], Any]) -> None:
        super().__init__()
        self._of_test = client

    def client(self, service: str, region: str, **_: Any) -> Any:
        return self._of_test(service, next(place for place, name in REGIONS.items() if name == region))


def deployed(
    speed: float = 1.0,
    client: Callable[[str, Place], Any] = refuse_clients,
    *,
    primary: dict[str, Any] | None = None,
    secondary: dict[str, Any] | None = None,
    global_outputs: dict[str, Any] | None = None,
) -> Deployment:
    """A deployment at a speed, whose AWS clients are the test's. The last three change outputs."""
    found = deployment(primary=primary or {}, secondary=secondary or {}, **{"global": global_outputs or {}})
    cells = [replace(found.cell(place), region=REGIONS[place]) for place in Place]
    local = Local(control="", client_key=SecretStr("key"), ca_file=Path("ca.pem"), speed=speed, pid=0)
    return replace(found, primary=cells[0], secondary=cells[1], local=local, sessions=_Sessions(client))


def result(progress: Progress, speed: float = 1.0) -> RunResult:
    """An empty one."""
    check = HealthSettings(region="us-east-1", interval_aws_seconds=5, unhealthy_threshold=2, healthy_threshold=2)
    limits = Limits(health_checks=[check], speed=speed)
    return RunResult(speed=speed, limits=limits, started=progress.started, started_at=progress.started_at)


def ran(
    system: System,
    directory: Path,
    scenario: Scenario,
    *,
    answer: Answer = accept,
    cancel_after: float | None = None,
    journal: Pages | None = None,
    speed: float = 1.0,
) -> tuple[RunResult, Progress]:
    """Run `scenario` to its end, or for `cancel_after` seconds."""
    progress = Progress(title="test", window=0.2, regions=dict(REGIONS))

    measured = result(progress, speed)

    async def run() -> None:
        async with payment_server(directory, answer) as server:
            policy = ClientPolicy(
                timeout=1, reopen=1, first_pause=0.05, longest_pause=0.1, give_up=1, most_in_flight=50
            )
            load = LoadGenerator(server.target, policy, payments(1), rate=50, now=progress.now)
            runner = Runner(
                scenario,
                ctx=DrillContext(deployment=deployed(speed), faults=system, outage_mode=OutageMode.RESET),
                load=load,
                observer=system,
                progress=progress,
                result=measured,
                run_log=journal or Pages(),
            )
            try:
                async with asyncio.timeout(cancel_after):
                    await runner.run()
            finally:
                await load.close()

    asyncio.run(run())
    return measured, progress
