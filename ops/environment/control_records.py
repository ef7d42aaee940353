"""The control records of an environment, read from one region's replica of the journal."""

from dataclasses import dataclass
from typing import Any

from drill.preflight.control_records import ACTIVE, WRITER_KEY, region_key
from ops.environment.search import Environment
from shared.places import Place

FENCED = "fenced"


@dataclass(frozen=True, kw_only=True)
class Held:
    """A region's control record as one replica holds it."""

    state: str
    epoch: int
    since: str
    by: str

    @property
    def is_fenced(self) -> bool:
        return self.state == FENCED

    def __str__(self) -> str:
        told = [f"{self.state}, epoch {self.epoch}"]
        told += [f"{word} {value}" for word, value in (("since", self.since), ("by", self.by)) if value]
        return ", ".join(told)


def held(client: Any, target: Environment, place: Place) -> Held:
    """What a replica (`client` is DynamoDB's there) holds of the region at `place`; a record that nobody wrote means
    active, epoch 0 (`functions/common/control/records.py`). Raises what botocore raises."""
    item = _item(client, target, region_key(target.region(place)))
    return Held(
        state=item.get("state", {}).get("S", "unknown") if item else ACTIVE,
        epoch=int(item.get("epoch", {}).get("N", "0")),
        since=item.get("since", {}).get("S", ""),
        by=item.get("by", {}).get("S", ""),
    )


def writer_region(client: Any, target: Environment) -> str | None:
    """Which region the ledgers take for the writer's; None if the record names none. Raises what botocore raises."""
    item = _item(client, target, WRITER_KEY)
    found: str | None = item.get("region", {}).get("S") if item else target.region(Place.PRIMARY)
    return found


def _item(client: Any, target: Environment, key: str) -> dict[str, Any]:
    answer = client.get_item(TableName=target.names.journal_table, Key={"pk": {"S": key}}, ConsistentRead=True)
    found: dict[str, Any] = answer.get("Item", {})
    return found
