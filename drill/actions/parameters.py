"""The same parameter changed in both regions at once, and deleted again."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from drill.model.context import Change, DrillContext
from drill.observe.aws import changing
from shared.deployment import Deployment
from shared.naming import Names
from shared.places import Place


@dataclass(frozen=True)
class Diverge:
    """Give one parameter two values, one right after the other. The later one, the secondary's, has to win."""

    place: None = None

    name: ClassVar[str] = "change one parameter in both regions, each to a value of its own"

    @property
    def rollback(self) -> Change:
        return RemoveParameter()

    async def do(self, ctx: DrillContext) -> str:
        for place in Place:
            await asyncio.to_thread(_put, ctx.deployment, place)
        return parameter(ctx.deployment)


@dataclass(frozen=True)
class RemoveParameter:
    place: None = None

    name: ClassVar[str] = "delete the parameter in both regions"
    rollback: ClassVar[None] = None

    async def do(self, ctx: DrillContext) -> str:
        await asyncio.to_thread(_delete, ctx.deployment)
        return ""


def parameter(deployment: Deployment) -> str:
    """Its name, below the prefix that both regions share."""
    return f"{Names(deployment.suffix).parameters}/drill/divergence"


def value(place: Place) -> str:
    """The value that the drill writes at a place."""
    return f"written in the {place} region"


def _put(deployment: Deployment, place: Place) -> None:
    name = parameter(deployment)
    with changing(f"{name} could not be written in {deployment.region(place)}"):
        deployment.client("ssm", place).put_parameter(
            Name=name, Value=value(place), Type="String", Overwrite=True, Description="Written by a drill"
        )


def _delete(deployment: Deployment) -> None:
    name = parameter(deployment)
    for place in Place:
        with changing(f"{name} could not be deleted in {deployment.region(place)}"):
            deployment.client("ssm", place).delete_parameters(Names=[name])
