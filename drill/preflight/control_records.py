"""The control records: which region may serve, whose database member writes, and whether both regions know it.

Keys and fields are those of `functions/common/control/records.py`; a missing record means active, epoch 0.
"""

from dataclasses import dataclass
from typing import Any

from drill.preflight import database
from drill.preflight.finding import Found, check, check_each, critical, ok, warning
from shared.deployment import Deployment
from shared.places import Place

WRITER_KEY = "control#writer"
ACTIVE = "active"
_KEY = "pk"


def region_key(region: str) -> str:
    return f"region#{region}"


@dataclass(frozen=True)
class Record:
    """One control record in one replica. `value` is a state, or the writer's region."""

    value: str
    epoch: int


def state(deployment: Deployment, place: Place) -> Record:
    """The newest record of a region, of both replicas. Raises ClientError."""
    key = region_key(deployment.region(place))
    held = [_record(deployment, where, key, "state", ACTIVE) for where in Place]
    return max(held, key=lambda record: record.epoch)


@check_each("no region fenced")
def none_fenced(deployment: Deployment, place: Place) -> Found:
    region, newest = deployment.region(place), state(deployment, place)
    if newest.value != ACTIVE:
        return critical(
            f"{region} is {newest.value} since epoch {newest.epoch}: no survivor if the other region is lost",
            "bring it back: make failback",
        )
    return ok(f"{region} is active, epoch {newest.epoch}")


@check("control records agree")
def records_agree(deployment: Deployment) -> Found:
    """Between the two replicas of the journal; a difference that stays means that one did not hear of a decision."""
    keys = [*(region_key(region) for region in deployment.regions.values()), WRITER_KEY]
    different = []
    for key in keys:
        attribute = "region" if key == WRITER_KEY else "state"
        first, second = (_record(deployment, place, key, attribute, "") for place in Place)
        if first != second:
            different.append(f"{key} is at epoch {first.epoch} and {second.epoch}")
    if different:
        return warning("; ".join(different), "check again in a minute; then see the journal's replication")
    return ok("both replicas hold the same")


@check("writer recorded")
def writer_recorded(deployment: Deployment) -> Found:
    """The region that the ledgers believe to write is the one whose member does."""
    held = [_record(deployment, where, WRITER_KEY, "region", deployment.primary.region) for where in Place]
    newest = max(held, key=lambda record: record.epoch)
    writes = database.writer(deployment)
    actual = deployment.region(writes) if writes else "none"
    if not newest.value:
        return critical("the role is being handed over, both ledgers wait", "see the running workflow")
    if newest.value != actual:
        return critical(
            f"the record names {newest.value}, but the writer is {actual}", "a failover or failback is not finished"
        )
    return ok(f"{actual}, epoch {newest.epoch}")


def _record(deployment: Deployment, where: Place, key: str, attribute: str, absent: str) -> Record:
    """As the replica at `where` holds it."""
    answer = deployment.client("dynamodb", where).get_item(
        TableName=deployment.global_outputs.journal_table, Key={_KEY: {"S": key}}, ConsistentRead=True
    )
    item: dict[str, Any] | None = answer.get("Item")
    if item is None:
        return Record(absent, 0)
    return Record(item.get(attribute, {}).get("S", "unknown"), int(item.get("epoch", {}).get("N", "0")))
