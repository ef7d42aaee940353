"""A system whose looks and switches are scripted: what the runner's tests do to it, it remembers."""

import asyncio
from pathlib import Path
from typing import Any

from drill.engine.runner import Runner
from drill.load.client import ClientPolicy
from drill.load.generator import Load
from drill.load.payments import payments
from drill.model.context import DrillContext
from drill.model.errors import ActionError, ProbeError
from drill.model.faults import OutageMode
from drill.model.scenario import Scenario
from drill.model.status import ControlCall, Row, Status
from drill.model.target import Site
from drill.observe.progress import Progress
from drill.runlog.entries import Entry
from shared.places import Place
from tests.drill.payment_server import Answer, accept, payment_server

REGIONS = {Place.PRIMARY: "us-east-1", Place.SECONDARY: "us-east-2"}


class System:
    """Both the faults and the watch of a runner. Times are those of the machine."""

    def __init__(
        self,
        *,
        returns: bool = True,
        refused_heals: int = 0,
        blind: bool = False,
        healthy: bool = True,
        calls: tuple[ControlCall, ...] = (),
        changes: dict[str, int] | None = None,
        mute: bool = False,
    ) -> None:
        self.done: list[str] = []
        self.lost = False
        self._returns, self._refused_heals, self._blind, self._healthy = returns, refused_heals, blind, healthy
        self._calls, self._changes, self._mute = calls, changes or {}, mute

    async def status(self) -> Status:
        if self._blind and self.lost:
            raise ProbeError("no answer")
        ok = self._healthy and not self.lost and (self._returns or not self.done)
        states = {"us-east-1": "healthy" if ok else "unhealthy", "us-east-2": "healthy"}
        return Status.model_validate(
            {"targets": [{"region": region, "target_group": "t", "state": state} for region, state in states.items()]}
        )

    async def posted(self, _status: Status) -> int:
        raise ProbeError("there is no writer")

    def _say(self, what: str) -> None:
        if self._mute:
            raise ProbeError("no answer")
        self.done.append(what)

    async def rows(self, _status: Status, region: str) -> dict[str, Row]:
        self._say(f"read {region}")
        return {}

    async def second_run(self) -> dict[str, int]:
        self._say("again")
        return self._changes

    async def mark_calls(self) -> None:
        self._say("mark")

    async def calls(self) -> list[ControlCall]:
        self._say("count")
        return list(self._calls)

    async def lose(self, region: str, kind: OutageMode) -> None:
        self.done.append(f"lose {region} {kind}")
        self.lost = True

    async def heal(self, region: str) -> None:
        if self._refused_heals:
            self._refused_heals -= 1
            raise ActionError("no answer")
        self.done.append(f"heal {region}")
        self.lost = False

    async def cut(self, first: str, second: str) -> None:
        self.done.append(f"cut {first} {second}")

    async def join(self, first: str, second: str) -> None:
        self.done.append(f"join {first} {second}")

    async def blind(self, region: str) -> None:
        self.done.append(f"blind {region}")

    async def unblind(self, region: str) -> None:
        self.done.append(f"unblind {region}")

    async def lose_database(self, region: str) -> None:
        self.done.append(f"lose database {region}")

    async def restore_database(self, region: str) -> None:
        self.done.append(f"restore database {region}")

    async def delay_replication(self, aws_seconds: float) -> None:
        self.done.append(f"lag {aws_seconds:g}")

    async def end_delay(self) -> None:
        self.done.append("no lag")

    async def recycle_workers(self) -> None:
        self.done.append("recycle")


class Pages:
    """A journal in memory."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def write(self, entry: Entry) -> None:
        self.entries.append(entry)


def refuse_clients(service: str, place: Place) -> Any:
    raise AssertionError(f"a client of {service} in the {place} region was asked for")


def site(speed: float = 1.0) -> Site:
    return Site(regions=REGIONS, speed=speed, journal_table="journal", client=refuse_clients)


def ran(
    system: System,
    directory: Path,
    scenario: Scenario,
    *,
    answer: Answer = accept,
    cancel_after: float | None = None,
    journal: Pages | None = None,
    speed: float = 1.0,
) -> tuple[Runner, Progress]:
    """Run `scenario` to its end, or for `cancel_after` seconds."""
    progress = Progress(title="test", window=0.2, regions=dict(REGIONS))

    async def run() -> Runner:
        async with payment_server(directory, answer) as server:
            policy = ClientPolicy(
                timeout=1, reopen=1, first_pause=0.05, longest_pause=0.1, give_up=1, most_under_way=50
            )
            load = Load(server.target, policy, payments(1), rate=50, now=progress.now)
            runner = Runner(
                scenario,
                ctx=DrillContext(faults=system, site=site(speed), kind=OutageMode.RESET),
                load=load,
                watched=system,
                progress=progress,
                journal=journal,
            )
            try:
                async with asyncio.timeout(cancel_after):
                    await runner.run()
            finally:
                await load.close()
            return runner

    return asyncio.run(run()), progress
