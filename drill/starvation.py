"""CPU starvation of a run: for how long its processes were ready to run and no processor was free for them.

Read from the Linux scheduler's own account of each thread, `/proc/<pid>/task/<tid>/schedstat`, whose second number is
the nanoseconds spent waiting on a run queue (Documentation/scheduler/sched-stats.rst), and from the time that the
hypervisor took (`steal` in `/proc/stat`, proc(5)). Elsewhere than on Linux nothing is known, and nothing is excused.
"""

import bisect
import contextlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_PROC = Path("/proc")
_NANOSECONDS = 1e9


@dataclass(kw_only=True)
class Starvation:
    """Starved seconds by the time of the run. Times are seconds of this machine's monotonic clock.

    Of each interval the wait of the process that waited longest counts, and never more than the interval. The waits of
    all processes together would be no measure of what one chain of calls lost: most of them are beside it, such as
    those of the load while a workflow sleeps.
    """

    ends: list[float] = field(default_factory=list)
    totals: list[float] = field(default_factory=list)  # starved seconds until each end

    def add(self, start: float, end: float, waited: float) -> None:
        """What was waited between two looks; intervals follow each other."""
        if not self.ends:
            self.ends.append(start)
            self.totals.append(0.0)
        self.ends.append(end)
        self.totals.append(self.totals[-1] + min(max(0.0, waited), max(0.0, end - start)))

    def within(self, start: float, end: float) -> float:
        """Starved seconds between two moments."""
        return max(0.0, self._until(end) - self._until(start))

    def share(self, start: float, end: float) -> float:
        """Starved share of the time between two moments, from 0 to 1."""
        return self.within(start, end) / (end - start) if end > start else 0.0

    def _until(self, moment: float) -> float:
        index = bisect.bisect_left(self.ends, moment)
        if index == 0:
            return 0.0
        if index == len(self.ends):
            return self.totals[-1]
        (left, right), (before, after) = self.ends[index - 1 : index + 1], self.totals[index - 1 : index + 1]
        return before + (after - before) * (moment - left) / (right - left)


class RunQueueWaits:
    """The longest run-queue wait of any process since the last look, in seconds."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], int] = {}  # nanoseconds by process and thread
        self._stolen = _stolen()

    def since_last_look(self, pids: Iterable[int]) -> float:
        """Of the process among `pids` that waited longest, its threads together, and the time that was stolen.

        A thread that is new counts from its start, one that ended meanwhile until the last look at it.
        """
        now: dict[tuple[int, int], int] = {}
        for pid in pids:
            now.update(_waits(pid))
        waited: Counter[int] = Counter()
        for thread, nanoseconds in now.items():
            waited[thread[0]] += nanoseconds - self._seen.get(thread, 0)
        longest = max(waited.values(), default=0)
        first, self._seen = not self._seen, now
        stolen, self._stolen = self._stolen, _stolen()
        return 0.0 if first else max(0, longest) / _NANOSECONDS + (self._stolen - stolen)


def _waits(pid: int) -> Iterator[tuple[tuple[int, int], int]]:
    tasks = _PROC / str(pid) / "task"
    with contextlib.suppress(OSError):
        for thread in os.listdir(tasks):
            with contextlib.suppress(OSError, ValueError, IndexError):
                yield (pid, int(thread)), int((tasks / thread / "schedstat").read_bytes().split()[1])


def _stolen() -> float:
    """Seconds that the hypervisor took from this machine's processors so far, as an average over them."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = (_PROC / "stat").read_bytes().split(b"\n", 1)[0].split()
        return int(fields[8]) / os.sysconf("SC_CLK_TCK") / (os.cpu_count() or 1)
    return 0.0
