"""Which region is lost, and how: the one switch that everything of the embedded AWS consults.

The gate only holds state and tells listeners; refusing is done where traffic passes (the ASGI app, the TCP fronts,
replication). It is used from several threads.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class OutageKind(StrEnum):
    """How a lost region fails: it answers errors, it closes connections, or it never answers."""

    ERROR = "error"
    RESET = "reset"
    HANG = "hang"


@dataclass(frozen=True, kw_only=True)
class Outage:
    region: str
    kind: OutageKind
    since: float  # Unix time


class Gate:
    """Lost regions and the count of calls refused on their behalf."""

    def __init__(self, regions: tuple[str, ...]) -> None:
        self.regions = regions
        self._outages: dict[str, Outage] = {}
        self._refused: Counter[tuple[str, str]] = Counter()
        self._listeners: list[Callable[[str, Outage | None], None]] = []
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

    def refuse(self, region: str, what: str) -> None:
        """Count a refused call. `what` is `control:<service>` or `data:<front>`."""
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

    def _known(self, region: str) -> None:
        if region not in self.regions:
            raise ValueError(f"region {region} is not on this machine; it runs {', '.join(self.regions)}")
