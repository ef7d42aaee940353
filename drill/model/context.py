"""Changes that a drill makes to an environment, and the context they work in."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from pydantic import TypeAdapter

from drill.model.faults import FaultInjector, OutageMode
from shared.deployment import Deployment
from shared.places import Place

MACHINES = ("failover", "failback")


@dataclass(frozen=True, kw_only=True)
class DrillContext:
    """The deployed environment, what injects faults into it, and how a lost region fails unless a fault names a mode of
    its own."""

    deployment: Deployment
    faults: FaultInjector
    outage_mode: OutageMode

    def region(self, place: Place) -> str:
        return self.deployment.region(place)

    def client(self, service: str, place: Place) -> Any:
        """A boto3 client in the region of a place."""
        return self.deployment.client(service, place)

    async def pause(self, aws_seconds: float) -> None:
        await asyncio.sleep(aws_seconds / self.deployment.speed)


class Change(Protocol):
    """Something done to the environment. `rollback` is None for a rollback, and for a change that leaves nothing
    behind."""

    @property
    def name(self) -> str: ...

    @property
    def place(self) -> Place | None:
        """The place of the change; None if it is done to both regions or neither."""

    @property
    def rollback(self) -> "Change | None": ...

    async def do(self, ctx: DrillContext) -> str:
        """Do it, and return in a few words what was done. Raises ActionError."""


def machine_arn(deployment: Deployment, machine: str, place: Place) -> str:
    """The ARN of a region's `failover` or `failback` state machine."""
    cell = deployment.cell(place)
    return cell.compute.failover_arn if machine == "failover" else cell.compute.failback_arn


def plain(change: Change) -> dict[str, Any]:
    """A change as plain data, from which another process can make it again."""
    content: Any = change
    return {"change": type(change).__name__, **asdict(content)}


def from_plain(known: Mapping[str, type[Any]], content: Mapping[str, Any]) -> Change:
    """The change that `plain` wrote; `known` are the classes by name. Raises KeyError for a name that is not known, and
    pydantic's ValidationError for content that does not fit."""
    values = {name: value for name, value in content.items() if name != "change"}
    made: Change = TypeAdapter(known[content["change"]]).validate_python(values)
    return made
