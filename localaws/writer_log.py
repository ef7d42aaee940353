"""When a database took writes: for who wants to see that no two of a global database ever did at the same time."""

import threading
import time
from typing import TypedDict


class Interval(TypedDict):
    """Unix times; `until` is None while it lasts."""

    since: float
    until: float | None


class WriterLog:
    """Turned on and off by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._intervals: list[Interval] = []

    @property
    def is_open(self) -> bool:
        return bool(self._intervals) and self._intervals[-1]["until"] is None

    def turn(self, on: bool) -> None:
        """Note that it takes writes from now on, or no more; nothing if that is so already."""
        with self._lock:
            if on == self.is_open:
                return
            if on:
                self._intervals.append(Interval(since=time.time(), until=None))
            else:
                self._intervals[-1]["until"] = time.time()

    def intervals(self) -> list[Interval]:
        """The oldest first."""
        with self._lock:
            return [Interval(**each) for each in self._intervals]
