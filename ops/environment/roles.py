"""Roles of the regions: which one has the database's writer, and which are active or fenced."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from drill.preflight.control_records import ACTIVE, WRITER_KEY, region_key
from ops.environment.aws import Client
from ops.environment.search import Environment
from shared.places import Place

FENCED = "fenced"


def writer(client: Client, cluster: str, regions: Mapping[Place, str]) -> str | None:
    """The writer's region, as described by the first region that answers; None without such a global cluster.

    Raises botocore's error when neither region answers.
    """
    problem: ClientError | BotoCoreError | None = None
    for place in (Place.SECONDARY, Place.PRIMARY):
        try:
            return _writer_seen_by(client("rds", regions[place]), cluster)
        except (ClientError, BotoCoreError) as error:
            problem = error
    assert problem is not None
    raise problem


def _writer_seen_by(rds: Any, cluster: str) -> str | None:
    try:
        clusters: list[Any] = rds.describe_global_clusters(GlobalClusterIdentifier=cluster)["GlobalClusters"]
    except rds.exceptions.GlobalClusterNotFoundFault:
        return None
    members = [member for each in clusters for member in each["GlobalClusterMembers"]]
    return next((member["DBClusterArn"].split(":")[3] for member in members if member["IsWriter"]), None)


@dataclass(frozen=True, kw_only=True)
class ControlRecord:
    """A region's control record in one replica of the journal table."""

    state: str
    epoch: int
    since: str
    by: str

    @property
    def is_fenced(self) -> bool:
        return self.state == FENCED

    def __str__(self) -> str:
        parts = [f"{self.state}, epoch {self.epoch}"]
        parts += [f"{word} {value}" for word, value in (("since", self.since), ("by", self.by)) if value]
        return ", ".join(parts)


def control_record(client: Any, target: Environment, place: Place) -> ControlRecord:
    """The record of the region at `place`, read through `client`, DynamoDB in the replica's region. A missing record
    means active, epoch 0 (`functions/common/control/records.py`). Raises botocore's errors."""
    item = _item(client, target, region_key(target.region(place)))
    return ControlRecord(
        state=item.get("state", {}).get("S", "unknown") if item else ACTIVE,
        epoch=int(item.get("epoch", {}).get("N", "0")),
        since=item.get("since", {}).get("S", ""),
        by=item.get("by", {}).get("S", ""),
    )


def recorded_writer(client: Any, target: Environment) -> str | None:
    """The writer's region by the control record that the ledgers read, None if it names none. Raises botocore's
    errors."""
    item = _item(client, target, WRITER_KEY)
    region: str | None = item.get("region", {}).get("S") if item else target.region(Place.PRIMARY)
    return region


def _item(client: Any, target: Environment, key: str) -> dict[str, Any]:
    answer = client.get_item(TableName=target.names.journal_table, Key={"pk": {"S": key}}, ConsistentRead=True)
    item: dict[str, Any] = answer.get("Item", {})
    return item
