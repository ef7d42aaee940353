"""Control records changed in both regions: in the own region's replica first, the survivor's in a failover, then in the
peer's if it answers. What the peer missed replication brings it when it is back.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ..clock import timestamp, utc_now
from ..table_replica import KEY, Item, Replica, ReplicaUnavailable
from .records import (
    ControlRecords,
    EpochTaken,
    RegionRecord,
    Regions,
    RegionState,
    WriterRecord,
    change_state,
    change_writer,
    read_records,
)

THERE = "there"
_TRIES = 3


@dataclass(frozen=True, kw_only=True)
class Change:
    """What became of a wanted change."""

    epoch: int
    changed: bool  # else it was so already
    since: str
    peer: str  # "there", or why the peer's own replica does not hold it

    @property
    def peer_knows(self) -> bool:
        return self.peer == THERE


class ControlChanges:
    """The control records as one region changes them. Every method raises ReplicaUnavailable for the own replica."""

    def __init__(
        self, *, local: Replica, peer: Replica, regions: Regions, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._local = local
        self._peer = peer
        self._regions = regions
        self._now = now

    def records(self) -> ControlRecords:
        """What the own replica holds."""
        return read_records(self._local, self._regions)

    def records_at_peer(self) -> ControlRecords:
        """What the peer's replica holds, `own` and `peer` as this region means them."""
        return read_records(self._peer, self._regions)

    def state_of(self, region: str) -> RegionRecord:
        return self._of(self.records(), region)

    def set_state(self, region: str, state: RegionState, *, epoch: int, by: str) -> Change:
        """Fence `region` or make it active, if its record is still at `epoch`. Raises EpochTaken.

        A region that is in that state already is left alone, and the peer told.
        """
        found = self.state_of(region)
        changed = not _is(found, state)
        if changed:
            wanted = replace(found, epoch=epoch)
            try:
                found = change_state(self._local, region, state, replaces=wanted, since=timestamp(self._now()), by=by)
            except EpochTaken:
                # Our own first try may have arrived and been tried again.
                found = self.state_of(region)
                if not (_is(found, state) and found.by == by and found.epoch == epoch + 1):
                    raise
        return Change(epoch=found.epoch, changed=changed, since=found.since, peer=self._tell_state(region, found))

    def set_writer(self, region: str, *, epoch: int, by: str) -> Change:
        """Say that `region` holds the writer, if the record is still at `epoch`. Raises EpochTaken."""
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
        return Change(epoch=found.epoch, changed=changed, since=found.since, peer=self._tell_writer(found))

    def _tell_state(self, region: str, ours: RegionRecord) -> str:
        def catch_up() -> bool:
            theirs = self._of(self.records_at_peer(), region)
            # Step by step, so that each write replaces an epoch that was seen.
            while theirs.epoch < ours.epoch:
                theirs = change_state(self._peer, region, ours.state, replaces=theirs, since=ours.since, by=ours.by)
            return _is(theirs, _meant(ours))

        return _told(catch_up)

    def _tell_writer(self, ours: WriterRecord) -> str:
        region = ours.region
        if region is None:
            return "the own record names no region"

        def catch_up() -> bool:
            theirs = self.records_at_peer().writer
            while theirs.epoch < ours.epoch:
                theirs = change_writer(self._peer, region, replaces=theirs, since=ours.since, by=ours.by)
            return theirs.region == region

        return _told(catch_up)

    def _of(self, records: ControlRecords, region: str) -> RegionRecord:
        return records.own if region == self._regions.own else records.peer


def _meant(record: RegionRecord) -> RegionState:
    """A record that nobody wrote means active."""
    return RegionState.ACTIVE if record.state is RegionState.ABSENT else record.state


def _is(record: RegionRecord, state: RegionState) -> bool:
    return _meant(record) is state


def _told(catch_up: Callable[[], bool]) -> str:
    """Whether the peer's replica holds our record once `catch_up` is done with it, or why not.

    That its record changes under our hands is most often our own change, which replication brought there first.
    """
    for _ in range(_TRIES):
        try:
            return THERE if catch_up() else "its record is newer and says otherwise"
        except EpochTaken:
            continue
        except ReplicaUnavailable as silence:
            return silence.reason
    return "its record is being changed"


def last_change(records: ControlRecords) -> str | None:
    """When the writer moved or a region came back, last; None if neither ever did. A fence is no change of that kind:
    it begins a failover."""
    moments = [records.writer.since]
    moments += [each.since for each in (records.own, records.peer) if each.state is RegionState.ACTIVE]
    return max((moment for moment in moments if moment), default=None)


# Which run of a region's state machines went on last, by its ARN: an item of the journal, a slot for one.
#
# A run takes the slot when it may go on, and leaves it by ending, which Step Functions knows.


def last_run(local: Replica) -> str | None:
    """The run that went on last in the replica's own region; None if none ever did. Raises ReplicaUnavailable."""
    item = local.read(_key(local))
    return str(item["execution"]["S"]) if item else None


def take_slot(local: Replica, execution: str, *, since: str, instead_of: str | None) -> str | None:
    """Put `execution` into the slot if it is empty, or if `instead_of` holds it; who holds it else.

    Raises ReplicaUnavailable.
    """
    item: Item = {KEY: {"S": _key(local)}, "execution": {"S": execution}, "since": {"S": since}}
    if instead_of is not None and local.exchange(item, unless_changed={"execution": {"S": instead_of}}):
        return None
    held = local.add(item)
    return str(held["execution"]["S"]) if held else None


def _key(local: Replica) -> str:
    return f"control#run#{local.region}"
