"""Outages of regions and of single services, and partitions between regions: one registry that everything consults.

It only holds state and notifies listeners; calls are refused where traffic passes (the ASGI application, listening
ports, replication). For any thread.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class OutageKind(StrEnum):
    """The way a lost region fails: it returns errors, resets connections, or never responds."""

    ERROR = "error"
    RESET = "reset"
    HANG = "hang"


@dataclass(frozen=True, kw_only=True)
class Outage:
    region: str
    kind: OutageKind
    since: float  # Unix time


class Outages:
    """Lost regions and the count of calls refused on their behalf."""

    def __init__(self, regions: tuple[str, ...]) -> None:
        self.regions = regions
        self._outages: dict[str, Outage] = {}
        self._refused: Counter[tuple[str, str]] = Counter()
        self._listeners: list[Callable[[str, Outage | None], None]] = []
        self._cuts: dict[frozenset[str], Outage] = {}
        self._isolated: set[str] = set()
        self._link_listeners: list[Callable[[], None]] = []
        self._degraded: dict[str, float] = {}
        self._chance = random.Random()
        self._services: dict[tuple[str, str], Outage] = {}
        self._service_listeners: list[Callable[[], None]] = []
        self._lock = threading.RLock()

    def lose(self, region: str, kind: OutageKind) -> Outage:
        """Take `region` away. Raises ValueError for a region this machine does not run."""
        self._known(region)
        with self._lock:
            outage = self._outages[region] = Outage(region=region, kind=kind, since=time.time())
        for listener in self._listeners:
            listener(region, outage)
        return outage

    def heal(self, region: str) -> None:
        """Bring `region` back; healing a healthy region is a no-op. Raises ValueError for an unknown region."""
        self._known(region)
        with self._lock:
            healed = self._outages.pop(region, None)
        if healed:
            for listener in self._listeners:
                listener(region, None)

    def outage(self, region: str) -> Outage | None:
        return self._outages.get(region)

    def is_lost(self, region: str) -> bool:
        return region in self._outages

    def cut(self, one: str, other: str, kind: OutageKind) -> None:
        """Let nothing pass between two available regions. Raises ValueError unless they are two regions."""
        self._two(one, other)
        with self._lock:
            self._cuts[frozenset((one, other))] = Outage(region=other, kind=kind, since=time.time())
        self._notify_of_links()

    def join(self, one: str, other: str) -> None:
        """Let everything pass again; joining what is joined is a no-op. Raises ValueError for regions not two."""
        self._two(one, other)
        with self._lock:
            self._cuts.pop(frozenset((one, other)), None)
        self._notify_of_links()

    def is_cut(self, one: str, other: str) -> bool:
        return frozenset((one, other)) in self._cuts

    def cuts(self) -> list[list[str]]:
        """The pairs of regions between which nothing passes."""
        return sorted(sorted(pair) for pair in list(self._cuts))

    def lose_service(self, region: str, service: str, kind: OutageKind) -> None:
        """Take one service of a region away for its callers, and nothing else there. Raises ValueError for an unknown
        region. What AWS's services do among themselves goes on: replication, streams, schedules, workflows."""
        self._known(region)
        with self._lock:
            self._services[region, service] = Outage(region=region, kind=kind, since=time.time())
        self._notify_of_services()

    def restore_service(self, region: str, service: str) -> None:
        """Bring a service back; a no-op for one that is there. Raises ValueError for an unknown region."""
        self._known(region)
        with self._lock:
            self._services.pop((region, service), None)
        self._notify_of_services()

    def service_outage(self, region: str, service: str) -> Outage | None:
        return self._services.get((region, service))

    def lost_services(self) -> list[dict[str, str]]:
        """Region, service and kind of each service outage."""
        lost = sorted(self._services.items())
        return [{"region": region, "service": service, "kind": outage.kind} for (region, service), outage in lost]

    def obstacle(self, caller: str | None, region: str) -> Outage | None:
        """The outage or cut that keeps a caller from reaching `region`, if any; None is a caller outside both."""
        if outage := self._outages.get(region):
            return outage
        if caller and caller != region:
            cut = self._cuts.get(frozenset((caller, region)))
            return Outage(region=region, kind=cut.kind, since=cut.since) if cut else None
        return None

    def isolate_functions(self, region: str) -> None:
        """Keep the functions of `region` from other regions' endpoints, and from nothing else. Raises ValueError."""
        self._known(region)
        self._isolated.add(region)

    def reconnect_functions(self, region: str) -> None:
        """Undo `isolate_functions`. Raises ValueError for an unknown region."""
        self._known(region)
        self._isolated.discard(region)

    def is_isolated(self, region: str) -> bool:
        return region in self._isolated

    def isolated(self) -> list[str]:
        return sorted(self._isolated)

    def degrade(self, region: str, share: float) -> None:
        """Let `share` of the requests at a region's endpoints fail, each after its target has answered; 0 ends that.
        Raises ValueError."""
        self._known(region)
        if not 0 <= share < 1:
            raise ValueError(f"share is {share:g}; a number from 0 to less than 1 is needed")
        self._degraded[region] = share

    def fails(self, region: str) -> bool:
        """Whether the response to this request is lost, by chance."""
        share = self._degraded.get(region, 0.0)
        return share > 0 and self._chance.random() < share

    def degraded(self) -> dict[str, float]:
        """The failing share of the requests of each degraded region."""
        return {region: share for region, share in sorted(self._degraded.items()) if share}

    def refuse(self, region: str, what: str) -> None:
        """Count a refused call. `what` is `control:<service>` or `data:<listener>`."""
        with self._lock:
            self._refused[region, what] += 1

    def refused(self) -> dict[str, dict[str, int]]:
        """Refused calls by region, then by what was called."""
        with self._lock:
            counts: dict[str, dict[str, int]] = {}
            for (region, what), count in self._refused.items():
                counts.setdefault(region, {})[what] = count
            return counts

    def on_change(self, listener: Callable[[str, Outage | None], None]) -> None:
        """Call `listener(region, outage)` after each loss, and `listener(region, None)` after each heal."""
        self._listeners.append(listener)

    def on_link_change(self, listener: Callable[[], None]) -> None:
        """Call `listener()` after each cut and each join."""
        self._link_listeners.append(listener)

    def on_service_change(self, listener: Callable[[], None]) -> None:
        """Call `listener()` after each loss and each return of a service."""
        self._service_listeners.append(listener)

    def _notify_of_services(self) -> None:
        for listener in self._service_listeners:
            listener()

    def _notify_of_links(self) -> None:
        for listener in self._link_listeners:
            listener()

    def _two(self, one: str, other: str) -> None:
        self._known(one)
        self._known(other)
        if one == other:
            raise ValueError(f"{one} is one region; two are needed")

    def _known(self, region: str) -> None:
        if region not in self.regions:
            raise ValueError(f"region {region} is not on this machine; it runs {', '.join(self.regions)}")
