"""Changes to which region serves and which one writes, by the product's own means: they work on AWS as they do here."""

import asyncio
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

from drill.model.change import Change, Surroundings
from drill.model.errors import ActionError
from drill.model.target import Site
from drill.observe.aws import changing, is_fenced, recover
from drill.preflight import control_records, database, functions
from shared.places import Place

_BY = "drill"
_LOOK_AWS_SECONDS = 5.0
_PATIENCE_AWS_SECONDS = 1200.0
_TRIES = 4


@dataclass(frozen=True)
class Fence:
    """Close a region by its control record: its doors answer 503, and traffic leaves by health."""

    place: Place

    @property
    def name(self) -> str:
        return f"fence the {self.place} region"

    @property
    def undo(self) -> Change:
        return Unfence(self.place)

    async def do(self, around: Surroundings) -> str:
        return await asyncio.to_thread(_set_state, around.site, self.place, "fence")


@dataclass(frozen=True)
class Unfence:
    place: Place

    @property
    def name(self) -> str:
        return f"let the {self.place} region serve again"

    @property
    def undo(self) -> None:
        return None

    async def do(self, around: Surroundings) -> str:
        return await asyncio.to_thread(_set_state, around.site, self.place, "unfence")


@dataclass(frozen=True)
class Evacuate:
    """Leave a region that lives: the other one fences it, takes the writer over without loss, and proves itself."""

    place: Place

    @property
    def name(self) -> str:
        return f"evacuate the {self.place} region as planned"

    @property
    def undo(self) -> Change:
        return BringBack(self.place)

    async def do(self, around: Surroundings) -> str:
        request = {"region": around.region(self.place), "by": _BY, "reason": "drill", "mode": "planned"}
        return f"started {await asyncio.to_thread(_start, around.site, 'failover', self.place, request)}"


@dataclass(frozen=True)
class MoveWriter:
    """Hand the database's writer over to the other region; traffic stays where it is."""

    place: Place  # that it leaves

    @property
    def name(self) -> str:
        return f"hand the writer over from the {self.place} region"

    @property
    def undo(self) -> Change:
        return BringBack(self.place)

    async def do(self, around: Surroundings) -> str:
        request = _failback(around.site, self.place, writer=self.place.other)
        return f"started {await asyncio.to_thread(_start, around.site, 'failback', self.place, request)}"


@dataclass(frozen=True)
class BringBack:
    """Bring a region and the writer home, and wait until they are. Where they are already, nothing is done."""

    place: Place

    @property
    def name(self) -> str:
        return f"bring the {self.place} region and the writer back"

    @property
    def undo(self) -> None:
        return None

    async def do(self, around: Surroundings) -> str:
        site = around.site
        names: list[str] = []
        for _ in range(_TRIES):
            await _quiet(site)
            if await asyncio.to_thread(_is_home, site, self.place):
                return f"by {names[-1]}" if names else "it was there already"
            request = _failback(site, self.place, writer=Place.PRIMARY)
            names.append(await asyncio.to_thread(_start, site, "failback", self.place, request))
        await _quiet(site)
        if await asyncio.to_thread(_is_home, site, self.place):
            return f"by {names[-1]}"
        raise ActionError(
            f"after {_TRIES} failbacks {site.region(self.place)} is not back; see the last one, {names[-1]}"
        )


def _set_state(site: Site, place: Place, operation: str) -> str:
    """In the other region, as a failover would; a region that is in that state already is left alone."""
    with changing(f"the control record of {site.region(place)} cannot be read"):
        epoch = control_records.state(site.whole, place).epoch
    told = recover(site, place.other, operation, region=site.region(place), epoch=epoch, by=_BY)
    return f"epoch {told['epoch']}" + ("" if told["changed"] else ", as it was already")


def _failback(site: Site, place: Place, *, writer: Place) -> dict[str, Any]:
    return {"region": site.region(place), "writer_region": site.region(writer), "by": _BY, "reason": "drill"}


def _start(site: Site, machine: str, place: Place, request: dict[str, Any]) -> str:
    """In the region that is not `place`; the run's name."""
    name = f"drill-{machine}-{uuid.uuid4().hex[:12]}"
    with changing(f"the {machine} of {site.region(place)} could not be started"):
        site.client("stepfunctions", place.other).start_execution(
            stateMachineArn=site.machines[machine, place.other], name=name, input=json.dumps(request)
        )
    return name


def _is_home(site: Site, place: Place) -> bool:
    with changing(f"whether {site.region(place)} is back cannot be seen"):
        return not is_fenced(site, place) and database.writer(site.whole) is Place.PRIMARY


async def _quiet(site: Site) -> None:
    """Wait until no failover and no failback runs."""
    deadline = time.monotonic() + _PATIENCE_AWS_SECONDS / site.speed
    while running := await asyncio.to_thread(_running, site):
        if time.monotonic() > deadline:
            raise ActionError(f"{', '.join(running)} does not end")
        await site.pause(_LOOK_AWS_SECONDS)


def _running(site: Site) -> list[str]:
    with changing("running workflows cannot be listed"):
        return [each for place in Place for each in functions.running(site.whole, place)]
