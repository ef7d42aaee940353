"""Changes of control records in both regions: first in the own region's replica (the survivor's, in a failover), then
in the peer's if it answers; otherwise replication brings the change when the peer is back.

The run slot is here as well: one item per region that names the state machine execution that was last allowed to
proceed. An execution takes the slot by `take_slot` and releases it by ending; Step Functions has its status.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ..clock import timestamp, utc_now
from ..table_replica import KEY, Item, Replica, ReplicaUnavailable
from .records import (
    WRITER_KEY,
    ControlRecords,
    EpochTaken,
    RegionRecord,
    Regions,
    RegionState,
    WriterRecord,
    change_state,
    change_writer,
    control_key,
    copy_record,
    read_records,
)

IN_SYNC = "in-sync"
_TRIES = 3


@dataclass(frozen=True, kw_only=True)
class Change:
    """The result of a requested change."""

    epoch: int
    changed: bool  # False: the record had this state before
    since: str  # ISO 8601 in UTC
    peer: str  # "in-sync", or why the peer's own replica does not hold the change

    @property
    def peer_in_sync(self) -> bool:
        """Whether the peer's own replica holds the change."""
        return self.peer == IN_SYNC


class ControlChanges:
    """Reads and changes the control records from one region. Every method raises ReplicaUnavailable for the own
    replica."""

    def __init__(
        self, *, local: Replica, peer: Replica, regions: Regions, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._local = local
        self._peer = peer
        self._regions = regions
        self._now = now

    def records(self) -> ControlRecords:
        """The records of the own replica."""
        return read_records(self._local, self._regions)

    def records_at_peer(self) -> ControlRecords:
        """The records of the peer's replica; `own` is still this region. Raises ReplicaUnavailable for it."""
        return read_records(self._peer, self._regions)

    def state_of(self, region: str) -> RegionRecord:
        """The own replica's record of `region`."""
        return self._of(self.records(), region)

    def set_state(self, region: str, state: RegionState, *, epoch: int, by: str) -> Change:
        """Fence `region` or make it active, if its record is still at `epoch`. Raises EpochTaken.

        If the region has that state already, its record is kept, and only the peer is brought in sync.
        """
        found = self.state_of(region)
        changed = not _is(found, state)
        if changed:
            wanted = replace(found, epoch=epoch)
            try:
                found = change_state(self._local, region, state, replaces=wanted, since=timestamp(self._now()), by=by)
            except EpochTaken:
                # Our first attempt may have succeeded although it was retried.
                found = self.state_of(region)
                if not (_is(found, state) and found.by == by and found.epoch == epoch + 1):
                    raise
        return Change(epoch=found.epoch, changed=changed, since=found.since, peer=self._sync_state(region, found))

    def set_writer(self, region: str, *, epoch: int, by: str) -> Change:
        """Set `region` as the writer, if the record is still at `epoch`. Raises EpochTaken."""
        found = self.records().writer
        changed = found.region != region
        if changed:
            wanted = replace(found, epoch=epoch)
            try:
                found = change_writer(self._local, region, replaces=wanted, since=timestamp(self._now()), by=by)
            except EpochTaken:
                found = self.records().writer
                if not (found.region == region and found.by == by and found.epoch == epoch + 1):
                    raise
        return Change(epoch=found.epoch, changed=changed, since=found.since, peer=self._sync_writer(found))

    def _sync_state(self, region: str, ours: RegionRecord) -> str:
        def catch_up() -> bool:
            theirs = self._of(self.records_at_peer(), region)
            if theirs.epoch < ours.epoch:
                copy_record(self._peer, control_key(region), ours, replaces=theirs)
                theirs = ours
            return _is(theirs, _effective(ours))

        return _synchronized(catch_up)

    def _sync_writer(self, ours: WriterRecord) -> str:
        if ours.region is None:
            return "the own record names no region"

        def catch_up() -> bool:
            theirs = self.records_at_peer().writer
            if theirs.epoch < ours.epoch:
                copy_record(self._peer, WRITER_KEY, ours, replaces=theirs)
                theirs = ours
            return theirs.region == ours.region

        return _synchronized(catch_up)

    def _of(self, records: ControlRecords, region: str) -> RegionRecord:
        return records.own if region == self._regions.own else records.peer


def _effective(record: RegionRecord) -> RegionState:
    """The record's state; a missing record means active."""
    return RegionState.ACTIVE if record.state is RegionState.ABSENT else record.state


def _is(record: RegionRecord, state: RegionState) -> bool:
    return _effective(record) is state


def _synchronized(catch_up: Callable[[], bool]) -> str:
    """`IN_SYNC` if the peer's replica holds our record after `catch_up`, else why not.

    A concurrent change of its record is most often our own change, which replication brought there first.
    """
    for _ in range(_TRIES):
        try:
            return IN_SYNC if catch_up() else "its record is newer and differs"
        except EpochTaken:
            continue
        except ReplicaUnavailable as error:
            return error.reason
    return "its record is being changed"


def last_change(records: ControlRecords) -> str | None:
    """The time of the last move of the writer or unfencing of a region, in ISO 8601; None if neither happened. A fence
    does not count, because it begins a failover."""
    moments = [records.writer.since]
    moments += [each.since for each in (records.own, records.peer) if each.state is RegionState.ACTIVE]
    return max((moment for moment in moments if moment), default=None)


@dataclass(frozen=True, kw_only=True)
class RunSlot:
    """The state machine execution that last took a region's run slot."""

    execution: str  # ARN
    since: str  # ISO 8601 in UTC


def last_run(local: Replica) -> str | None:
    """The ARN of the execution that last took the slot of the replica's region, if any. Raises ReplicaUnavailable."""
    item = local.read(_key(local))
    return _slot(item).execution if item else None


def take_slot(local: Replica, execution: str, *, since: str, instead_of: str | None) -> RunSlot | None:
    """Take the run slot for `execution` (an ARN) if it is empty or held by `instead_of`. Returns the slot as it is held
    otherwise, None if it was taken. Raises ReplicaUnavailable.
    """
    item: Item = {KEY: {"S": _key(local)}, "execution": {"S": execution}, "since": {"S": since}}
    if instead_of is not None and local.exchange(item, unless_changed={"execution": {"S": instead_of}}):
        return None
    held = local.add(item)
    return _slot(held) if held else None


def _slot(item: Item) -> RunSlot:
    return RunSlot(execution=str(item["execution"]["S"]), since=str(item["since"]["S"]))


def _key(local: Replica) -> str:
    return f"control#run#{local.region}"
