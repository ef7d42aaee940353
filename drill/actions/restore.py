"""The journal restored beside itself, from what one region keeps of its past, and deleted again."""

import asyncio
import time
from dataclasses import dataclass

from botocore.exceptions import ClientError

from drill.model.change import Change, Surroundings
from drill.model.errors import ActionError
from drill.model.target import Site
from drill.observe.aws import changing, is_refused
from shared.places import Place

_LOOK_AWS_SECONDS = 15.0
_PATIENCE_AWS_SECONDS = 3600.0
"""DynamoDB says "up to several hours" for large tables; a drill gives up after one [DYNAMODB-6]."""


@dataclass(frozen=True)
class RestoreJournal:
    """Restore a region's replica to the latest moment it can be restored to, into a table of the drill's own."""

    place: Place

    @property
    def name(self) -> str:
        return f"restore the journal in the {self.place} region, beside the one in use"

    @property
    def undo(self) -> Change:
        return DeleteRestored(self.place)

    async def do(self, around: Surroundings) -> str:
        site = around.site
        with changing(f"the journal in {site.region(self.place)} could not be restored"):
            await asyncio.to_thread(
                lambda: site.client("dynamodb", self.place).restore_table_to_point_in_time(
                    SourceTableName=site.journal_table, TargetTableName=restored(site), UseLatestRestorableTime=True
                )
            )
        deadline = time.monotonic() + _PATIENCE_AWS_SECONDS / site.speed
        while (state := await asyncio.to_thread(_state, site, self.place)) != "ACTIVE":
            if time.monotonic() > deadline:
                raise ActionError(f"{restored(site)} is {state} after {_PATIENCE_AWS_SECONDS:g} s")
            await site.pause(_LOOK_AWS_SECONDS)
        return restored(site)


@dataclass(frozen=True)
class DeleteRestored:
    place: Place

    @property
    def name(self) -> str:
        return f"delete the restored journal in the {self.place} region"

    @property
    def undo(self) -> None:
        return None

    async def do(self, around: Surroundings) -> str:
        site = around.site
        deadline = time.monotonic() + _PATIENCE_AWS_SECONDS / site.speed
        while not await asyncio.to_thread(_deleted, site, self.place):
            if time.monotonic() > deadline:
                raise ActionError(f"{restored(site)} in {site.region(self.place)} is still there; delete it")
            await site.pause(_LOOK_AWS_SECONDS)
        return ""


def restored(site: Site) -> str:
    """The table's name."""
    return f"{site.journal_table}-restored-by-drill"


def _state(site: Site, place: Place) -> str | None:
    """None if there is no such table."""
    with changing(f"{restored(site)} cannot be looked at"):
        try:
            found = site.client("dynamodb", place).describe_table(TableName=restored(site))
        except ClientError as error:
            if is_refused(error, "ResourceNotFoundException"):
                return None
            raise
    return str(found["Table"]["TableStatus"])


def _deleted(site: Site, place: Place) -> bool:
    """Ask for it, unless the table is still being made or is going already; whether it is gone."""
    state = _state(site, place)
    if state == "ACTIVE":
        with changing(f"{restored(site)} could not be deleted"):
            site.client("dynamodb", place).delete_table(TableName=restored(site))
        state = _state(site, place)
    return state is None
