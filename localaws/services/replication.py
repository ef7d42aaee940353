"""What travels between regions: it takes its time, keeps its order, and waits while either end is lost.

One lane per kind and pair of regions. An entry is delivered when its lag has passed and both ends are there; after a
heal the backlog is replayed in order. Deliveries run in the event loop in short slices, so that neither a long backlog
nor a lost region blocks it.
"""

import asyncio
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.core.clock import Clock
from localaws.core.outages import Gate, Outage

# AWS seconds from a write to its arrival. Global tables "typically within a second" [DYNAMODB-4]. Events take "about
# half a second" [EVENTS-17]; for a bus in another region AWS names no figure. S3 without Replication Time Control
# promises nothing, most objects take seconds; secrets are not documented.
DEFAULT_LAGS = {"dynamodb": 1.0, "s3": 5.0, "secrets": 1.0, "events": 0.5}

_SLICE = 0.005  # seconds the event loop is held at most
logger = logging.getLogger(__name__)


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


class Replication:
    """The lanes between regions. `send` may be called from any thread, everything else belongs to the event loop."""

    def __init__(self, clock: Clock, gate: Gate, lags: Mapping[str, float] = DEFAULT_LAGS) -> None:
        self._clock = clock
        self._gate = gate
        self._lags = dict(lags)
        self._lanes: dict[_Lane, deque[_Entry]] = {}
        self._lock = threading.Lock()
        self._failed: Counter[str] = Counter()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        gate.on_change(self._changed)
        gate.on_way_change(self._nudge)
        clock.on_change(self._nudge)

    def start(self) -> None:
        """Begin to deliver, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run(), name="replication")

    async def stop(self) -> None:
        """End; what has not been delivered is dropped with the server."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    def send(self, kind: str, source: str, destination: str, deliver: Callable[[], None], *, written: int = 0) -> None:
        """Deliver after the lag of `kind` (if it has one), in the order of the calls, when both ends are there."""
        due = self._clock.now() + self._lags.get(kind, 0.0)
        with self._lock:
            lane = self._lanes.setdefault(_Lane(kind, source, destination), deque())
            lane.append(_Entry(due, written, deliver))
        if len(lane) == 1:
            self._nudge()

    def oldest_written(self, kind: str) -> int | None:
        """The smallest stamp that is still on its way; None if nothing of this kind is."""
        with self._lock:
            heads = [entries[0].written for lane, entries in self._lanes.items() if lane.kind == kind and entries]
        return min(heads, default=None)

    def status(self) -> dict[str, Any]:
        """`backlog` counts by destination; `lanes` says more about those that are not empty."""
        backlog = dict.fromkeys(self._gate.regions, 0)
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
        return any(map(self._gate.is_lost, ends)) or self._gate.is_cut(*ends)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            next_due = await self._deliver_due()
            timeout = None if next_due is None else max(0.0, self._clock.real(next_due - self._clock.now()))
            try:
                await asyncio.wait_for(self._wake.wait(), timeout)
            except TimeoutError:
                continue

    async def _deliver_due(self) -> float | None:
        """Deliver what is due; returns when the next entry of an open lane is."""
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
            logger.exception("%s replication from %s to %s failed", lane.kind, lane.source, lane.destination)

    def _nudge(self) -> None:
        if self._loop:
            self._loop.call_soon_threadsafe(self._wake.set)

    def _changed(self, _region: str, _outage: Outage | None) -> None:
        self._nudge()
