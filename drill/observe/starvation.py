"""CPU starvation of a run: for how long its processes were ready to run and no processor was free for them.

What the run's own processes take from each other counts as little as can be known for certain: a fault of the system
must not hide behind it. What other programs take from them counts in full.

Read from the Linux scheduler's own account of each thread, `/proc/<pid>/task/<tid>/schedstat`, whose second number is
the nanoseconds spent waiting on a run queue (Documentation/scheduler/sched-stats.rst), and from the time that the
hypervisor took (`steal` in `/proc/stat`, proc(5)). Elsewhere than on Linux nothing is known, and nothing is excused.
"""

import bisect
import contextlib
import os
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_PROC = Path("/proc")
_NANOSECONDS = 1e9
_TICKS = os.sysconf("SC_CLK_TCK")
_SMOOTHED = 5  # samples: the kernel counts CPU time in hundredths of a second
_HOUSEKEEPING = 0.1  # cores: the kernel's own work, and processes of ours too short to be seen


@dataclass(kw_only=True)
class Starvation:
    """Starved seconds by the time of the run; of each interval, the interval at most. Times are seconds of this
    machine's monotonic clock."""

    ends: list[float] = field(default_factory=list)
    totals: list[float] = field(default_factory=list)  # starved seconds until each end

    def add(self, start: float, end: float, waited: float) -> None:
        """The waits between two samples; intervals follow each other."""
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


@dataclass(frozen=True, kw_only=True)
class Waits:
    """Seconds in which processes were ready to run and did not."""

    longest: float  # of the process that waited longest, its threads together
    total: float  # of all of them

    def starved(self, taken: float) -> float:
        """Seconds of starvation, if other programs had the processors for `taken` seconds meanwhile.

        The longest wait in any case. The waits of all processes together are no measure of what one chain of calls
        lost, as most of them are beside it, such as those of the load while a workflow sleeps; but while other programs
        had the processors, any of them can have been the one that held the chain up.
        """
        return max(self.longest, min(self.total, taken))


class RunQueueWaits:
    """Run-queue waits of processes since the last sample."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], int] = {}  # nanoseconds by process and thread
        self._stolen = _stolen()

    def since_last_sample(self, pids: Iterable[int]) -> Waits:
        """Of `pids`, and what was stolen from all. A thread that is new counts from its start, one that ended meanwhile
        until the last sample of it."""
        now: dict[tuple[int, int], int] = {}
        for pid in pids:
            now.update(_waits(pid))
        waited: Counter[int] = Counter()
        for thread, nanoseconds in now.items():
            waited[thread[0]] += max(0, nanoseconds - self._seen.get(thread, 0))
        first, self._seen = not self._seen, now
        stolen, self._stolen = self._stolen, _stolen()
        if first:
            return Waits(longest=0.0, total=0.0)
        taken = self._stolen - stolen
        return Waits(
            longest=max(waited.values(), default=0) / _NANOSECONDS + taken, total=waited.total() / _NANOSECONDS + taken
        )


class OtherPrograms:
    """The use of the run's processors by programs outside of it."""

    def __init__(self) -> None:
        self._readings: deque[tuple[float, float]] = deque(maxlen=_SMOOTHED)  # seconds; CPU seconds of others
        self._before: tuple[float, float, dict[int, float]] | None = None

    def share(self, pids: Iterable[int]) -> float:
        """Cores they used over the last samples, beyond what a machine does for itself. `pids` are the run's own."""
        now, busy, own = time.monotonic(), _busy(), {pid: _spent(pid) for pid in pids}
        if self._before is not None:
            then, was_busy, had = self._before
            ours = sum(max(0.0, spent - had.get(pid, 0.0)) for pid, spent in own.items())
            self._readings.append((now - then, busy - was_busy - ours))
        self._before = (now, busy, own)
        seconds = sum(each for each, _ in self._readings)
        taken = sum(each for _, each in self._readings)
        return max(0.0, taken / seconds - _HOUSEKEEPING) if seconds else 0.0


def _waits(pid: int) -> Iterator[tuple[tuple[int, int], int]]:
    tasks = _PROC / str(pid) / "task"
    with contextlib.suppress(OSError):
        for thread in os.listdir(tasks):
            with contextlib.suppress(OSError, ValueError, IndexError):
                yield (pid, int(thread)), int((tasks / thread / "schedstat").read_bytes().split()[1])


def _spent(pid: int) -> float:
    """CPU seconds of a process and of the children it has waited for."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        return sum(map(int, fields[11:15])) / _TICKS
    return 0.0


def _busy() -> float:
    """CPU seconds that programs have used so far on the processors this process may use."""
    with contextlib.suppress(OSError, ValueError, IndexError, AttributeError):
        mine = {f"cpu{number}".encode() for number in os.sched_getaffinity(0)}
        rows = (line.split() for line in (_PROC / "stat").read_bytes().splitlines())
        return sum(sum(map(int, row[1:4])) for row in rows if row and row[0] in mine) / _TICKS
    return 0.0


def _stolen() -> float:
    """Seconds that the hypervisor took from this machine's processors so far, as an average over them."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = (_PROC / "stat").read_bytes().split(b"\n", 1)[0].split()
        return int(fields[8]) / _TICKS / (os.cpu_count() or 1)
    return 0.0
