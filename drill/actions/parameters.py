"""The same parameter changed in both regions at once, and taken away again."""

import asyncio
from dataclasses import dataclass

from drill.model.change import Change, Surroundings
from drill.model.target import Site
from drill.observe.aws import changing
from shared.naming import Names
from shared.places import Place


@dataclass(frozen=True)
class Diverge:
    """Give one parameter two values, one right after the other. The later one, the secondary's, is the one to stay."""

    place: None = None

    @property
    def name(self) -> str:
        return "change one parameter in both regions, each to a value of its own"

    @property
    def undo(self) -> Change:
        return RemoveParameter()

    async def do(self, around: Surroundings) -> str:
        for place in Place:
            await asyncio.to_thread(_put, around.site, place)
        return parameter(around.site)


@dataclass(frozen=True)
class RemoveParameter:
    place: None = None

    @property
    def name(self) -> str:
        return "take the parameter away in both regions"

    @property
    def undo(self) -> None:
        return None

    async def do(self, around: Surroundings) -> str:
        await asyncio.to_thread(_delete, around.site)
        return ""


def parameter(site: Site) -> str:
    """Its name, below the prefix that both regions share."""
    return f"{Names(site.whole.suffix).parameters}/drill/divergence"


def value(place: Place) -> str:
    """What the drill writes there."""
    return f"written in the {place} region"


def _put(site: Site, place: Place) -> None:
    with changing(f"{parameter(site)} could not be written in {site.region(place)}"):
        site.client("ssm", place).put_parameter(
            Name=parameter(site), Value=value(place), Type="String", Overwrite=True, Description="Written by a drill"
        )


def _delete(site: Site) -> None:
    for place in Place:
        with changing(f"{parameter(site)} could not be taken away in {site.region(place)}"):
            site.client("ssm", place).delete_parameters(Names=[parameter(site)])
