"""Health probes of a region's endpoints, and the window of their last rounds."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from common.health_endpoints import ALIVE, OVERLOADED, Endpoints, probe_health

from .decision import Rounds


@dataclass(frozen=True, kw_only=True)
class Round:
    """One probe of both endpoints of the peer."""

    at: float  # by `Pace.clock`
    health: dict[str, str] = field(default_factory=dict)  # by endpoint, as `probe_health` returns it

    @property
    def failed(self) -> bool:
        """Whether no endpoint answered as a live region."""
        return ALIVE.isdisjoint(self.health.values())

    @property
    def overloaded(self) -> bool:
        """Whether every endpoint was answered by ELB or API Gateway itself. One that gives no response is a failure."""
        return set(self.health.values()) == {OVERLOADED}


class Prober:
    """Probes endpoints in parallel, so that unreachable ones cost at most `deadline_seconds` (real seconds)."""

    def __init__(self, *, deadline_seconds: float) -> None:
        self._deadline = deadline_seconds
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="probe")

    def probe(self, endpoints: Endpoints) -> dict[str, str]:
        """Health by endpoint, as `probe_health` returns it."""
        urls = endpoints.urls()
        results = self._threads.map(lambda url: probe_health(url, deadline_seconds=self._deadline), urls.values())
        return dict(zip(urls, results, strict=True))


class Window:
    """The last `size` rounds. A round older than `age` (AWS seconds) is dropped: the function was not running since."""

    def __init__(self, *, size: int, needed: int, age: float) -> None:
        self._rounds: deque[Round] = deque(maxlen=size)
        self._needed = needed
        self._age = age

    def add(self, latest: Round) -> Rounds:
        """The summary including `latest`."""
        while self._rounds and latest.at - self._rounds[0].at > self._age:
            self._rounds.popleft()
        self._rounds.append(latest)
        return Rounds(
            seen=len(self._rounds),
            failed=sum(each.failed for each in self._rounds),
            overloaded=sum(each.overloaded for each in self._rounds),
            needed=self._needed,
            last=latest.health,
        )
