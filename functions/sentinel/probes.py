"""Probes of a region's doors: what each says of its region at this moment."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from common.health_endpoints import ALIVE, Doors, health_of

from .decision import Rounds


@dataclass(frozen=True, kw_only=True)
class Round:
    """One look at both doors."""

    at: float  # by the pace's clock
    said: dict[str, str] = field(default_factory=dict)  # door to what `health_of` gives

    @property
    def failed(self) -> bool:
        """No door led to a region that lives."""
        return ALIVE.isdisjoint(self.said.values())


class Prober:
    """Asks both doors at once, so that a silent one costs no more than the deadline (seconds of this machine)."""

    def __init__(self, *, deadline_seconds: float) -> None:
        self._deadline = deadline_seconds
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="probe")

    def look(self, doors: Doors) -> dict[str, str]:
        """What each door said."""
        urls = doors.urls()
        words = self._threads.map(lambda url: health_of(url, deadline_seconds=self._deadline), urls.values())
        return dict(zip(urls, words, strict=True))


class Window:
    """The last `size` rounds. One older than `age` seconds tells nothing of now: the function was not running."""

    def __init__(self, *, size: int, needed: int, age: float) -> None:
        self._rounds: deque[Round] = deque(maxlen=size)
        self._needed = needed
        self._age = age

    def add(self, latest: Round) -> Rounds:
        while self._rounds and latest.at - self._rounds[0].at > self._age:
            self._rounds.popleft()
        self._rounds.append(latest)
        return Rounds(
            seen=len(self._rounds),
            failed=sum(each.failed for each in self._rounds),
            needed=self._needed,
            last=latest.said,
        )
