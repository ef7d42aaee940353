"""Resource usage of a run on this machine: CPU time of drill and embedded AWS, peak memory, and CPU starvation."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psutil

from drill.observe.starvation import OtherPrograms, RunQueueWaits, Starvation

# Seconds between two samples. Their cost decides: the kernel walks all pages of a process to compute its share of
# memory.
_WAITS_SECONDS = 0.2
_TIMES_SECONDS = 1.0
_MEMORY_SECONDS = 3.0

DRILL = "drill"
EMBEDDED_AWS = "embedded AWS"


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Over one stretch of a run, in cores: what the drill, the embedded AWS and all programs of the machine used."""

    seconds: float = 0.0
    cores: int = 1  # of this machine
    drill: float = 0.0
    embedded_aws: float = 0.0
    machine: float = 0.0


@dataclass(frozen=True, kw_only=True)
class _Sample:
    at: float
    drill: float  # CPU seconds so far
    embedded_aws: float
    machine: float


class Sampler:
    """Samples this process and a process tree in a thread of its own. `processes` lists the tree."""

    def __init__(self, processes: Callable[[], Sequence[psutil.Process]]) -> None:
        self.peak_bytes = 0
        self.peak_processes = 0
        self.starvation = Starvation()  # of this process and the tree, once started
        self.longest_waits = Starvation()  # of the process that waits longest, whichever program has the processors
        self._processes = processes
        self._drill = psutil.Process(os.getpid())
        self._spent: dict[tuple[int, float], float] = {}  # also of processes that have ended
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def mark(self) -> _Sample:
        """The figures of this moment, to be compared with another one by `usage`."""
        self._sample(memory=True)
        with self._lock:
            drill = sum(seconds for (pid, _), seconds in self._spent.items() if pid == self._drill.pid)
            total = sum(self._spent.values())
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        return _Sample(at=time.monotonic(), drill=drill, embedded_aws=total - drill, machine=sum(times[:8]) - idle)

    def cpu_seconds(self) -> float:
        """CPU time of this process and the tree so far, ended processes included."""
        self._sample(memory=False)
        with self._lock:
            return sum(self._spent.values())

    @staticmethod
    def usage(start: _Sample, end: _Sample) -> Usage:
        seconds = max(end.at - start.at, 1e-6)
        return Usage(
            seconds=seconds,
            cores=psutil.cpu_count() or 1,
            drill=(end.drill - start.drill) / seconds,
            embedded_aws=(end.embedded_aws - start.embedded_aws) / seconds,
            machine=(end.machine - start.machine) / seconds,
        )

    def _run(self) -> None:
        waits, others, pids = RunQueueWaits(), OtherPrograms(), [self._drill.pid]
        times_at = memory_at = 0.0
        before = time.monotonic()
        while not self._stopping.wait(_WAITS_SECONDS):
            now = time.monotonic()
            if now - times_at >= _TIMES_SECONDS:
                times_at, memory = now, now - memory_at >= _MEMORY_SECONDS
                memory_at = now if memory else memory_at
                pids = [self._drill.pid, *self._sample(memory=memory)]
            now = time.monotonic()
            found = waits.since_last_sample(pids)
            self.longest_waits.add(before, now, found.longest)
            self.starvation.add(before, now, found.starved(others.share(pids) * (now - before)))
            before = now

    def _sample(self, *, memory: bool) -> list[int]:
        """CPU times, and memory if wanted; the tree's process ids."""
        total = count = 0
        processes = self._processes()
        for process in (self._drill, *processes):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied), process.oneshot():
                times = process.cpu_times()
                with self._lock:
                    self._spent[process.pid, process.create_time()] = times.user + times.system
                total += memory_of(process) if memory else 0
                count += 1
        self.peak_bytes = max(self.peak_bytes, total)
        self.peak_processes = max(self.peak_processes, count)
        return [process.pid for process in processes]


def memory_of(process: psutil.Process) -> int:
    """Proportional set size where the system has it, so that shared pages count once; else resident size."""
    full = process.memory_full_info()
    return int(getattr(full, "pss", 0) or full.rss)


def bounded_by(usage: Usage, *, rate: float, accepted: float, latest: float, shed: int) -> str:
    """The limit of the accepted rate, in one sentence made from measurement.

    `rate` and `accepted` are payments a second, offered and acknowledged; `latest` is the worst delay of an arrival in
    seconds.
    """
    machine = f"{usage.machine:.2f} of {usage.cores} cores busy"
    if accepted >= 0.98 * rate and not shed:
        return f"the offered rate of {rate:g}/s, all of which was accepted; {machine}"
    if latest > 0.25:
        return f"the load generator, which ran up to {latest:.2f} s late; {machine}"
    if usage.machine >= 0.9 * usage.cores:
        return f"the machine's processors ({machine})"
    return f"waiting, not processors: {machine}; see latencies and failures"
