"""Changes to which region serves and which one writes, by the product's own functions and state machines: they work on
AWS as they do on the embedded AWS."""

import asyncio
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any, ClassVar

from drill.model.context import Change, DrillContext, machine_arn
from drill.model.errors import ActionError
from drill.observe.aws import changing, is_fenced, recover
from drill.preflight import control_records, database, functions
from shared.deployment import Deployment
from shared.places import Place

_BY = "drill"
_POLL_AWS_SECONDS = 5.0
_TIMEOUT_AWS_SECONDS = 1200.0
_TIMEOUT_SECONDS = 300.0  # on this machine, at least: a fast clock makes no replay faster
_TRIES = 4


@dataclass(frozen=True)
class Fence:
    """Close a region by its control record: its endpoints answer 503, and traffic leaves by health."""

    place: Place

    @property
    def name(self) -> str:
        return f"fence the {self.place} region"

    @property
    def rollback(self) -> Change:
        return Unfence(self.place)

    async def do(self, ctx: DrillContext) -> str:
        return await asyncio.to_thread(_set_state, ctx.deployment, self.place, "fence")


@dataclass(frozen=True)
class Unfence:
    place: Place

    rollback: ClassVar[None] = None

    @property
    def name(self) -> str:
        return f"unfence the {self.place} region"

    async def do(self, ctx: DrillContext) -> str:
        return await asyncio.to_thread(_set_state, ctx.deployment, self.place, "unfence")


@dataclass(frozen=True)
class Evacuate:
    """A planned failover away from a region that is up: the other one fences it, takes over the writer without loss of
    data, and verifies a payment."""

    place: Place

    @property
    def name(self) -> str:
        return f"evacuate the {self.place} region as planned"

    @property
    def rollback(self) -> Change:
        return BringBack(self.place)

    async def do(self, ctx: DrillContext) -> str:
        request = {"region": ctx.region(self.place), "by": _BY, "reason": "drill", "mode": "planned"}
        return f"started {await asyncio.to_thread(start, ctx.deployment, 'failover', self.place, request)}"


@dataclass(frozen=True)
class MoveWriter:
    """A switchover of the database's writer to the other region; traffic stays where it is."""

    place: Place  # that it leaves

    @property
    def name(self) -> str:
        return f"switch the writer over from the {self.place} region"

    @property
    def rollback(self) -> Change:
        return BringBack(self.place)

    async def do(self, ctx: DrillContext) -> str:
        request = _failback(ctx.deployment, self.place, writer=self.place.other)
        return f"started {await asyncio.to_thread(start, ctx.deployment, 'failback', self.place, request)}"


@dataclass(frozen=True)
class BringBack:
    """Fail back to a region, with the writer in the primary one, and wait until that is so. Does nothing where it is
    already."""

    place: Place

    rollback: ClassVar[None] = None

    @property
    def name(self) -> str:
        return f"bring the {self.place} region and the writer back"

    async def do(self, ctx: DrillContext) -> str:
        deployment, names = ctx.deployment, list[str]()
        for attempt in range(_TRIES + 1):
            await _no_workflow_runs(ctx)
            if await asyncio.to_thread(_is_back, deployment, self.place):
                return f"by {names[-1]}" if names else "it was back already"
            if attempt < _TRIES:
                request = _failback(deployment, self.place, writer=Place.PRIMARY)
                names.append(await asyncio.to_thread(start, deployment, "failback", self.place, request))
        raise ActionError(
            f"after {_TRIES} failbacks {ctx.region(self.place)} is not back; see the last one, {names[-1]}"
        )


@dataclass(frozen=True)
class StartFailover:
    """Start the failover in the surviving region `times` at once, as several operators and a sentinel might."""

    place: Place  # that is lost
    times: int = 1
    forced: bool = False  # overrides a fence of the surviving region

    @property
    def name(self) -> str:
        if self.times == 1:
            return f"{'force' if self.forced else 'start'} the failover from the {self.place} region by hand"
        return f"start the failover {'twice' if self.times == 2 else f'{self.times} times'} at the same time"

    @property
    def rollback(self) -> Change:
        return StartFailback(self.place)

    async def do(self, ctx: DrillContext) -> str:
        request = {"region": ctx.region(self.place), "by": _BY, "forced": self.forced}
        names = await asyncio.gather(
            *(asyncio.to_thread(start, ctx.deployment, "failover", self.place, request) for _ in range(self.times))
        )
        return f"started {', '.join(names)}"


@dataclass(frozen=True)
class StartFailback:
    """Start the failback in the surviving region."""

    place: Place  # that comes back

    rollback: ClassVar[None] = None

    @property
    def name(self) -> str:
        return f"start the failback to the {self.place} region"

    async def do(self, ctx: DrillContext) -> str:
        request = {"region": ctx.region(self.place), "by": _BY}
        return f"started {await asyncio.to_thread(start, ctx.deployment, 'failback', self.place, request)}"


@dataclass(frozen=True)
class StopFailback:
    """Stop the running failback to a region, as an operator can, or a deleted state machine. What it has changed
    stays; another failback continues it."""

    place: Place  # that comes back

    rollback: ClassVar[None] = None

    @property
    def name(self) -> str:
        return f"stop the failback to the {self.place} region"

    async def do(self, ctx: DrillContext) -> str:
        return f"stopped {await asyncio.to_thread(_stop, ctx.deployment, 'failback', self.place.other)}"


def _stop(deployment: Deployment, machine: str, place: Place) -> str:
    """Stop the running execution of a region's state machine; its name. Raises ActionError, also if none runs."""
    client = deployment.client("stepfunctions", place)
    with changing(f"the {machine} in {deployment.region(place)} could not be stopped"):
        found = client.list_executions(stateMachineArn=machine_arn(deployment, machine, place), statusFilter="RUNNING")[
            "executions"
        ]
        for each in found:
            client.stop_execution(executionArn=each["executionArn"], error="Stopped", cause="by a drill")
    if not found:
        raise ActionError(f"no {machine} runs in {deployment.region(place)}")
    return ", ".join(str(each["name"]) for each in found)


def start(
    deployment: Deployment, machine: str, place: Place, request: dict[str, Any], *, prefix: str | None = None
) -> str:
    """Start a state machine of the region that is not `place`; the run's name. Raises ActionError."""
    name = f"{prefix or f'drill-{machine}'}-{uuid.uuid4().hex[:12]}"
    with changing(f"the {machine} of {deployment.region(place)} could not be started"):
        deployment.client("stepfunctions", place.other).start_execution(
            stateMachineArn=machine_arn(deployment, machine, place.other), name=name, input=json.dumps(request)
        )
    return name


def _set_state(deployment: Deployment, place: Place, operation: str) -> str:
    """In the other region, as a failover would; a region that is in that state already is left alone."""
    with changing(f"the control record of {deployment.region(place)} cannot be read"):
        epoch = control_records.state(deployment, place).epoch
    region = deployment.region(place)
    answer = recover(deployment, place.other, operation, region=region, epoch=epoch, by=_BY)
    return f"epoch {answer['epoch']}" + ("" if answer["changed"] else ", as it was already")


def _failback(deployment: Deployment, place: Place, *, writer: Place) -> dict[str, Any]:
    region, writer_region = deployment.region(place), deployment.region(writer)
    return {"region": region, "writer_region": writer_region, "by": _BY, "reason": "drill"}


def _is_back(deployment: Deployment, place: Place) -> bool:
    with changing(f"whether {deployment.region(place)} is back cannot be read"):
        return not is_fenced(deployment, place) and database.writer(deployment) is Place.PRIMARY


async def _no_workflow_runs(ctx: DrillContext) -> None:
    """Wait until no failover and no failback runs."""
    deadline = time.monotonic() + max(_TIMEOUT_AWS_SECONDS / ctx.deployment.speed, _TIMEOUT_SECONDS)
    while running := await asyncio.to_thread(_running, ctx.deployment):
        if time.monotonic() > deadline:
            raise ActionError(f"{', '.join(running)} does not end")
        await ctx.pause(_POLL_AWS_SECONDS)


def _running(deployment: Deployment) -> list[str]:
    with changing("running workflows cannot be listed"):
        return [each for place in Place for each in functions.running(deployment, place)]
