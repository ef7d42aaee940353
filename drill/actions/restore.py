"""The payment journal restored into a second table, from the points in time that one region keeps, and deleted
again."""

import asyncio
import time
from dataclasses import dataclass
from typing import ClassVar

from botocore.exceptions import ClientError

from drill.model.context import Change, DrillContext
from drill.model.errors import ActionError
from drill.observe.aws import changing, is_refused
from shared.deployment import Deployment
from shared.places import Place

_POLL_AWS_SECONDS = 15.0
_TIMEOUT_AWS_SECONDS = 3600.0
"""DynamoDB's documentation gives "up to several hours" for large tables; a drill gives up after one [DYNAMODB-6]."""


@dataclass(frozen=True)
class RestoreJournal:
    """Restore a region's replica, at its latest restorable time, into a table of the drill's own."""

    place: Place

    @property
    def name(self) -> str:
        return f"restore the journal in the {self.place} region into a second table"

    @property
    def rollback(self) -> Change:
        return DeleteRestored(self.place)

    async def do(self, ctx: DrillContext) -> str:
        deployment, name = ctx.deployment, restored(ctx.deployment)
        with changing(f"the journal in {ctx.region(self.place)} could not be restored"):
            await asyncio.to_thread(
                lambda: deployment.client("dynamodb", self.place).restore_table_to_point_in_time(
                    SourceTableName=deployment.global_outputs.journal_table,
                    TargetTableName=name,
                    UseLatestRestorableTime=True,
                )
            )
        deadline = time.monotonic() + _TIMEOUT_AWS_SECONDS / deployment.speed
        while (state := await asyncio.to_thread(_state, deployment, self.place)) != "ACTIVE":
            if time.monotonic() > deadline:
                raise ActionError(f"{name} is {state} after {_TIMEOUT_AWS_SECONDS:g} s")
            await ctx.pause(_POLL_AWS_SECONDS)
        return name


@dataclass(frozen=True)
class DeleteRestored:
    place: Place

    rollback: ClassVar[None] = None

    @property
    def name(self) -> str:
        return f"delete the restored journal in the {self.place} region"

    async def do(self, ctx: DrillContext) -> str:
        deadline = time.monotonic() + _TIMEOUT_AWS_SECONDS / ctx.deployment.speed
        while not await asyncio.to_thread(_deleted, ctx.deployment, self.place):
            if time.monotonic() > deadline:
                raise ActionError(f"{restored(ctx.deployment)} in {ctx.region(self.place)} still exists; delete it")
            await ctx.pause(_POLL_AWS_SECONDS)
        return ""


def restored(deployment: Deployment) -> str:
    """The table's name."""
    return f"{deployment.global_outputs.journal_table}-restored-by-drill"


def _state(deployment: Deployment, place: Place) -> str | None:
    """None if there is no such table."""
    with changing(f"{restored(deployment)} cannot be described"):
        try:
            found = deployment.client("dynamodb", place).describe_table(TableName=restored(deployment))
        except ClientError as error:
            if is_refused(error, "ResourceNotFoundException"):
                return None
            raise
    return str(found["Table"]["TableStatus"])


def _deleted(deployment: Deployment, place: Place) -> bool:
    """Delete it, unless it is still being made or deleted; whether it is gone."""
    state = _state(deployment, place)
    if state == "ACTIVE":
        with changing(f"{restored(deployment)} could not be deleted"):
            deployment.client("dynamodb", place).delete_table(TableName=restored(deployment))
        state = _state(deployment, place)
    return state is None
