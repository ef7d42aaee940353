"""The control records: items of the global table that hold which region may serve and whose database member writes.

`state` and `writer` are roles and move; they are independent of the place. Every change is a conditional write on the
epoch that it replaces, so two changes of the same epoch cannot both succeed in one replica.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from ..table_replica import KEY, Item, Replica

WRITER_KEY = "control#writer"


class RegionState(StrEnum):
    """In rising order of caution: of two records with the same epoch, the one later in this list wins."""

    ABSENT = "absent"  # no record has been written yet; equivalent to active
    ACTIVE = "active"
    UNKNOWN = "unknown"  # a record whose state is not one of these
    FENCED = "fenced"


_CAUTION = list(RegionState)


class EpochTaken(Exception):
    """The record is not at the epoch that the change was to replace."""

    def __init__(self, key: str, epoch: int) -> None:
        super().__init__(f"control record {key} is not at epoch {epoch}; it was changed meanwhile")


@dataclass(frozen=True, kw_only=True)
class RegionRecord:
    """Whether a region may serve traffic."""

    state: RegionState = RegionState.ABSENT
    epoch: int = 0
    since: str = ""  # ISO 8601 in UTC
    by: str = ""  # who decided, for operators


@dataclass(frozen=True, kw_only=True)
class WriterRecord:
    """The region whose database member is the writer. `region` is None during a planned handover, and if it is
    undefined: two records with the same epoch disagree, or the record is malformed."""

    region: str | None
    epoch: int = 0
    since: str = ""
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class ControlRecords:
    """Both regions' records and the writer's, as one replica or one memory holds them."""

    own: RegionRecord
    peer: RegionRecord
    writer: WriterRecord


@dataclass(frozen=True, kw_only=True)
class Regions:
    """Whose records are read, `own` and `peer` from the reader's side. `first_writer` has the writer role until a
    record exists."""

    own: str
    peer: str
    first_writer: str

    @property
    def keys(self) -> list[str]:
        """The partition keys of the three records."""
        return [control_key(self.own), control_key(self.peer), WRITER_KEY]


def control_key(region: str) -> str:
    """The partition key of a region's control record."""
    return f"region#{region}"


def newest(first: ControlRecords, *others: ControlRecords | None) -> ControlRecords:
    """The newest version of each record, by epoch."""
    for other in others:
        if other is not None:
            first = ControlRecords(
                own=max(first.own, other.own, key=_age),
                peer=max(first.peer, other.peer, key=_age),
                writer=_newer_writer(first.writer, other.writer),
            )
    return first


def records_of(items: Mapping[str, Item], regions: Regions) -> ControlRecords:
    """The records among `items` (by partition key). A missing one counts as epoch 0: active, and the first writer."""
    return ControlRecords(
        own=_region_record(items.get(control_key(regions.own))),
        peer=_region_record(items.get(control_key(regions.peer))),
        writer=_writer_record(items.get(WRITER_KEY), regions.first_writer),
    )


def read_records(replica: Replica, regions: Regions) -> ControlRecords:
    """The records that `replica` holds. Raises ReplicaUnavailable."""
    return records_of(replica.read_all(regions.keys), regions)


def change_state(
    replica: Replica, region: str, state: RegionState, *, replaces: RegionRecord, since: str, by: str
) -> RegionRecord:
    """Fence a region or make it active again, in this replica. Raises EpochTaken and ReplicaUnavailable.

    `replaces` is the newest record known, from either replica: one that lags behind rejects the write. A change that
    must survive a partition is written to both regions' replicas, the caller's own first. `since` is ISO 8601 in UTC.
    """
    changed = RegionRecord(state=state, epoch=replaces.epoch + 1, since=since, by=by)
    _change(replica, control_key(region), changed, replaced=replaces.epoch)
    return changed


def change_writer(replica: Replica, region: str | None, *, replaces: WriterRecord, since: str, by: str) -> WriterRecord:
    """Set the region whose member is the writer, in this replica; None during a handover, while both ledgers have to
    wait. Raises EpochTaken and ReplicaUnavailable."""
    changed = WriterRecord(region=region, epoch=replaces.epoch + 1, since=since, by=by)
    _change(replica, WRITER_KEY, changed, replaced=replaces.epoch)
    return changed


def copy_record(
    replica: Replica, key: str, record: RegionRecord | WriterRecord, *, replaces: RegionRecord | WriterRecord
) -> None:
    """Bring a replica that is behind to `record` in one write, however many epochs lie between.

    An epoch between would be a version that no region ever decided on, and newer in DynamoDB's order than our own.
    Raises EpochTaken and ReplicaUnavailable.
    """
    _change(replica, key, record, replaced=replaces.epoch)


def record_fields(record: RegionRecord | WriterRecord) -> Item:
    """The attributes of a record's item, without its key."""
    if isinstance(record, RegionRecord):
        role: Item = {"state": {"S": record.state.value}}
    else:
        role = {"region": {"S": record.region or ""}}
    return {**role, "epoch": {"N": str(record.epoch)}, "since": {"S": record.since}, "by": {"S": record.by}}


def _change(replica: Replica, key: str, changed: RegionRecord | WriterRecord, *, replaced: int) -> None:
    item: Item = {KEY: {"S": key}, **record_fields(changed)}
    if replaced == 0:
        done = replica.add(item) is None
    else:
        done = replica.exchange(item, unless_changed={"epoch": {"N": str(replaced)}})
    if not done:
        raise EpochTaken(key, replaced)


def _age(record: RegionRecord) -> tuple[int, int]:
    return record.epoch, _CAUTION.index(record.state)


def _newer_writer(first: WriterRecord, second: WriterRecord) -> WriterRecord:
    if first.epoch == second.epoch and first.region != second.region:
        return replace(first, region=None)
    return max(first, second, key=lambda record: record.epoch)


def _region_record(item: Item | None) -> RegionRecord:
    if item is None:
        return RegionRecord()
    value = _text(item, "state")
    known = value in (RegionState.ACTIVE, RegionState.FENCED)
    return RegionRecord(
        state=RegionState(value) if known else RegionState.UNKNOWN,
        epoch=_epoch(item),
        since=_text(item, "since"),
        by=_text(item, "by"),
    )


def _writer_record(item: Item | None, first_writer: str) -> WriterRecord:
    if item is None:
        return WriterRecord(region=first_writer)
    return WriterRecord(
        region=_text(item, "region") or None, epoch=_epoch(item), since=_text(item, "since"), by=_text(item, "by")
    )


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name, {}).get("S")
    return value if isinstance(value, str) else ""


def _epoch(item: Mapping[str, Any]) -> int:
    value = item.get("epoch", {}).get("N")
    return int(value) if isinstance(value, str) and value.isdecimal() else 0
