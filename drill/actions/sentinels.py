"""Sentinels that act on nothing, because their schedule is disabled."""

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar

from drill.model.context import Change, DrillContext
from drill.model.errors import ActionError
from drill.observe.aws import changing
from shared.deployment import Deployment
from shared.places import Place

_NAME = "sentinel"  # part of the schedule's name
_KEPT = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target", "KmsKeyArn", "Description")
"""A schedule's properties: an update replaces all of them."""

RUNS_AWS_SECONDS = 60.0
"""The longest time that an earlier invocation of a sentinel may continue."""


@dataclass(frozen=True)
class DisableSentinel:
    """Disable the schedule of a region's sentinel, which watches the other region. It acts for `RUNS_AWS_SECONDS`
    more."""

    place: Place

    @property
    def name(self) -> str:
        return f"disable the sentinel of the {self.place} region"

    @property
    def rollback(self) -> Change:
        return EnableSentinel(self.place)

    async def do(self, ctx: DrillContext) -> str:
        return await asyncio.to_thread(_set, ctx.deployment, self.place, "DISABLED")


@dataclass(frozen=True)
class EnableSentinel:
    place: Place

    rollback: ClassVar[None] = None

    @property
    def name(self) -> str:
        return f"enable the sentinel of the {self.place} region"

    async def do(self, ctx: DrillContext) -> str:
        return await asyncio.to_thread(_set, ctx.deployment, self.place, "ENABLED")


def _set(deployment: Deployment, place: Place, state: str) -> str:
    client: Any = deployment.client("scheduler", place)
    with changing(f"the sentinel's schedule in {deployment.region(place)} could not be changed"):
        names = [each["Name"] for each in client.list_schedules()["Schedules"] if _NAME in each["Name"]]
        for name in names:
            found = client.get_schedule(Name=name)
            client.update_schedule(**{key: found[key] for key in _KEPT if key in found}, State=state)
    if not names:
        raise ActionError(f"there is no schedule of a sentinel in {deployment.region(place)}")
    return ", ".join(names)
