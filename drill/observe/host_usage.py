"""What a run costs this machine: processor time by part, peak memory of the whole process tree, and CPU starvation."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field

import psutil

from drill.observe.starvation import OtherPrograms, RunQueueWaits, Starvation

# Seconds between two looks. What a look costs decides how often it is taken: the kernel walks all pages of a process to
# tell its share of memory.
_WAITS_SECONDS = 0.2
_TIMES_SECONDS = 1.0
_MEMORY_SECONDS = 3.0

DRILL = "drill (load, view, sampling)"
SERVER = "embedded AWS (API, fronts, evaluators)"
LAMBDA = "Lambda workers"
POSTGRES = "PostgreSQL"
OTHER = "others (deployment, reaper)"


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Over one stretch of a run. Processor shares are of one core; `machine` is the whole machine's, 0 to `cores`."""

    seconds: float
    cores: int
    share_by_part: dict[str, float] = field(default_factory=dict)
    machine: float = 0.0


@dataclass(frozen=True, kw_only=True)
class _Sample:
    at: float
    by_part: dict[str, float]  # processor seconds so far
    machine: float  # busy processor seconds so far


class Sampler:
    """Looks at a process tree in a thread of its own. `processes` names the tree, the first process first."""

    def __init__(self, processes: Callable[[], Sequence[psutil.Process]]) -> None:
        self.peak_bytes = 0
        self.peak_processes = 0
        self.starvation = Starvation()  # of this process and the tree, once started
        self.longest_waits = Starvation()  # of the process that waits longest, whoever has the processors
        self._processes = processes
        self._drill = psutil.Process(os.getpid())
        self._parts: dict[tuple[int, float], str] = {}
        self._spent: dict[tuple[int, float], tuple[str, float]] = {}  # also of processes that have ended
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
        """Now, to be compared with another moment by `usage`."""
        self._look(memory=True)
        by_part: dict[str, float] = {}
        with self._lock:
            for part, seconds in self._spent.values():
                by_part[part] = by_part.get(part, 0.0) + seconds
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        return _Sample(at=time.monotonic(), by_part=by_part, machine=sum(times[:8]) - idle)

    def cpu_seconds(self) -> float:
        """CPU time of this process and the tree so far, ended processes included."""
        self._look(memory=False)
        with self._lock:
            return sum(seconds for _, seconds in self._spent.values())

    @staticmethod
    def usage(start: _Sample, end: _Sample) -> Usage:
        seconds = max(end.at - start.at, 1e-6)
        shares = {part: (spent - start.by_part.get(part, 0.0)) / seconds for part, spent in sorted(end.by_part.items())}
        return Usage(
            seconds=seconds,
            cores=psutil.cpu_count() or 1,
            share_by_part=shares,
            machine=(end.machine - start.machine) / seconds,
        )

    def _run(self) -> None:
        waits, others, pids = RunQueueWaits(), OtherPrograms(), [self._drill.pid]
        looked = remembered = 0.0
        before = time.monotonic()
        while not self._stopping.wait(_WAITS_SECONDS):
            now = time.monotonic()
            if now - looked >= _TIMES_SECONDS:
                looked, memory = now, now - remembered >= _MEMORY_SECONDS
                remembered = now if memory else remembered
                pids = [self._drill.pid, *self._look(memory=memory)]
            now = time.monotonic()
            found = waits.since_last_look(pids)
            self.longest_waits.add(before, now, found.longest)
            self.starvation.add(before, now, found.starved(others.share(pids) * (now - before)))
            before = now

    def _look(self, *, memory: bool) -> list[int]:
        """Processor times, and memory if asked for; the tree's process ids."""
        total = count = 0
        processes = self._processes()
        served = _below_server(processes)
        for process in (self._drill, *processes):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied), process.oneshot():
                times = process.cpu_times()
                key = (process.pid, process.create_time())
                with self._lock:
                    if key not in self._parts:
                        self._parts[key] = self._part(process, served)
                    self._spent[key] = (self._parts[key], times.user + times.system)
                total += memory_of(process) if memory else 0
                count += 1
        self.peak_bytes = max(self.peak_bytes, total)
        self.peak_processes = max(self.peak_processes, count)
        return [process.pid for process in processes]

    def _part(self, process: psutil.Process, served: Set[int]) -> str:
        if process.pid == self._drill.pid:
            return DRILL
        return part_of(process.name(), process.cmdline(), served=process.pid in served)


def part_of(name: str, command: Sequence[str], *, served: bool) -> str:
    """Which part of the embedded AWS a process is, by what was started. `served`: below its server process."""
    if "postgres" in name:
        return POSTGRES
    if _is_server(command):
        return SERVER
    return LAMBDA if served and not any(word.endswith("reaper.py") for word in command) else OTHER


def _is_server(command: Sequence[str]) -> bool:
    return "localaws.server.main" in command


def _below_server(processes: Sequence[psutil.Process]) -> set[int]:
    """The server's children, their children, and so on."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if _is_server(process.cmdline()):
                return {child.pid for child in process.children(recursive=True)}
    return set()


def memory_of(process: psutil.Process) -> int:
    """Proportional set size where the system tells it, so that shared pages count once; else resident size."""
    full = process.memory_full_info()
    return int(getattr(full, "pss", 0) or full.rss)


def bounded_by(usage: Usage, *, rate: float, accepted: float, latest: float, shed: int) -> str:
    """What limited the accepted rate, in one sentence made from measurement.

    `rate` and `accepted` are payments a second, offered and acknowledged; `latest` is the worst delay of an arrival in
    seconds.
    """
    parts = sorted(usage.share_by_part.items(), key=lambda item: -item[1])
    busiest = f"{parts[0][0]} at {parts[0][1]:.0%} of a core" if parts else "nothing was measured"
    machine = f"{usage.machine:.2f} of {usage.cores} cores busy"
    if accepted >= 0.98 * rate and not shed:
        return f"the offered rate of {rate:g}/s: all of it was accepted; busiest part {busiest}, {machine}"
    if latest > 0.25:
        return f"the load generator, which ran up to {latest:.2f} s late; busiest part {busiest}, {machine}"
    if usage.machine >= 0.9 * usage.cores:
        return f"the machine's processors ({machine}); busiest part {busiest}"
    if parts and parts[0][1] >= 0.85:
        return f"one core: {busiest} ({machine})"
    return f"waiting, not processors: {machine}, busiest part {busiest}; see latencies and failures"
