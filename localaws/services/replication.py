"""Replication between regions: delayed, in order, and held while either region is lost.

One lane per kind and pair of regions. An entry is delivered when its lag has passed and both regions are available;
after an outage the backlog is delivered in order. Deliveries run in the event loop in short slices, so that neither a
long backlog nor a lost region blocks it.

DynamoDB global tables: AWS keeps, per item, the write with the latest time, in every replica (multi-Region eventual
consistency) [DYNAMODB-4]. So a write that arrives late never replaces a newer one made where it arrives, and all
replicas end up the same.
"""

import asyncio
import functools
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localaws import emulator
from localaws.core.clock import Clock
from localaws.core.outages import Outage, Outages
from localaws.services.component import BackgroundTask

# AWS seconds from a write to its arrival. Global tables "typically within a second" [DYNAMODB-4]. Events take "about
# half a second" [EVENTS-17]; for a bus in another region AWS names no figure. S3 without Replication Time Control
# promises nothing, most objects take seconds; secrets are not documented.
DEFAULT_LAGS = {"dynamodb": 1.0, "s3": 5.0, "secrets": 1.0, "events": 0.5}

_SLICE = 0.005  # seconds the event loop is held at most
logger = logging.getLogger(__name__)

_TABLES = "dynamodb"
_Item = tuple[str, str, str, str]  # account, region, table, key


@dataclass(frozen=True)
class _Lane:
    kind: str
    source: str
    destination: str


@dataclass(frozen=True)
class _Entry:
    due: float  # on the AWS clock
    written: int  # the caller's stamp
    deliver: Callable[[], None]


class Replication(BackgroundTask):
    """The lanes between regions. `send` may be called from any thread, everything else in the event loop only."""

    def __init__(self, clock: Clock, outages: Outages, lags: Mapping[str, float] = DEFAULT_LAGS) -> None:
        self._clock = clock
        self._outages = outages
        self._lags = dict(lags)
        self._lanes: dict[_Lane, deque[_Entry]] = {}
        self._lock = threading.Lock()
        self._failed: Counter[str] = Counter()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        outages.on_change(self._changed)
        outages.on_link_change(self._nudge)
        clock.on_change(self._nudge)

    def send(self, kind: str, source: str, destination: str, deliver: Callable[[], None], *, written: int = 0) -> None:
        """Deliver after the lag of `kind` (if it has one), in the order of the calls, once both regions are up."""
        due = self._clock.now() + self._lags.get(kind, 0.0)
        with self._lock:
            lane = self._lanes.setdefault(_Lane(kind, source, destination), deque())
            lane.append(_Entry(due, written, deliver))
        if len(lane) == 1:
            self._nudge()

    def oldest_written(self, kind: str) -> int | None:
        """The smallest stamp that is still under way; None if nothing of this kind is."""
        with self._lock:
            heads = [entries[0].written for lane, entries in self._lanes.items() if lane.kind == kind and entries]
        return min(heads, default=None)

    def status(self) -> dict[str, Any]:
        """`backlog` counts by destination; `lanes` has the details of those that are not empty."""
        backlog = dict.fromkeys(self._outages.regions, 0)
        lanes = []
        now = self._clock.now()
        with self._lock:
            waiting = [(lane, len(entries), entries[0].due) for lane, entries in self._lanes.items() if entries]
        for lane, count, due in waiting:
            backlog[lane.destination] = backlog.get(lane.destination, 0) + count
            overdue = round(max(0.0, now - due), 3)
            ends = {"from": lane.source, "to": lane.destination}
            lanes.append({"kind": lane.kind, **ends, "waiting": count, "overdue_seconds": overdue})
        return {"backlog": backlog, "lanes": lanes, "failed": dict(self._failed)}

    def _held(self, lane: _Lane) -> bool:
        ends = (lane.source, lane.destination)
        return any(map(self._outages.is_lost, ends)) or self._outages.is_cut(*ends)

    async def run(self) -> None:
        """Deliver until cancelled; entries not delivered by then are dropped with the server."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            next_due = await self._deliver_due()
            timeout = None if next_due is None else max(0.0, self._clock.real(next_due - self._clock.now()))
            try:
                await asyncio.wait_for(self._wake.wait(), timeout)
            except TimeoutError:
                continue

    async def _deliver_due(self) -> float | None:
        """Deliver what is due; returns when the next entry of an open lane is due."""
        next_due: float | None = None
        slice_ends = time.monotonic() + _SLICE
        for lane, entries in list(self._lanes.items()):
            while entries and not self._held(lane):
                if entries[0].due > self._clock.now():
                    next_due = min(entries[0].due, next_due or entries[0].due)
                    break
                with self._lock:
                    entry = entries.popleft()
                self._deliver(lane, entry)
                if time.monotonic() > slice_ends:
                    await asyncio.sleep(0)
                    slice_ends = time.monotonic() + _SLICE
        return next_due

    def _deliver(self, lane: _Lane, entry: _Entry) -> None:
        try:
            entry.deliver()
        except Exception:
            self._failed[lane.kind] += 1
            logger.exception("event=replication_failed %s from %s to %s", lane.kind, lane.source, lane.destination)

    def _nudge(self) -> None:
        if self._loop:
            self._loop.call_soon_threadsafe(self._wake.set)

    def _changed(self, _region: str, _outage: Outage | None) -> None:
        self._nudge()


class GlobalTables:
    """Replicates global tables through `replication`."""

    def __init__(self, replication: Replication) -> None:
        self._replication = replication
        # Time of the last write each replica has seen, kept only while an older one may still arrive.
        self._seen: dict[_Item, int] = {}
        self._last = 0
        self._lock = threading.Lock()

    def install(self) -> None:
        """Replace the emulator's own replication, which is part of the writer's call."""
        self._apply = emulator.replication.intercept_global_table_writes(self._written)

    def _written(
        self, *, account: str, source: str, regions: list[str], table: str, key: str, event: str, old: Any, new: Any
    ) -> None:
        with self._lock:
            written = self._last = max(self._last + 1, time.time_ns())
            self._see((account, source, table, key), written)
            for region in regions:
                apply = functools.partial(
                    self._apply, account=account, source=source, destination=region, table=table, event=event
                )
                arrive = functools.partial(self._arrive, (account, region, table, key), written, old, new, apply)
                self._replication.send(_TABLES, source, region, arrive, written=written)

    def _arrive(self, item: _Item, written: int, old: Any, new: Any, apply: Callable[..., None]) -> None:
        with self._lock:
            if self._seen.get(item, 0) > written:
                return
            self._see(item, written)
        apply(old=old, new=new)

    def _see(self, item: _Item, written: int) -> None:
        """Remember the newest write to an item, and forget those that no write under way can be older than."""
        self._seen.pop(item, None)
        self._seen[item] = written
        oldest = self._replication.oldest_written(_TABLES)
        while (first := next(iter(self._seen))) != item and (oldest is None or self._seen[first] < oldest):
            del self._seen[first]
