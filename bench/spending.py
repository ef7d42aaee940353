"""CPU time of an embedded AWS's process tree by kind of work, and its memory."""

import contextlib
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from drill.observe.host_usage import memory_of

_INTERVAL = 1.0  # seconds between samples
_FORK_SERVER = "localaws.services.lambda_.fork_server"
_SERVER = "localaws.server.main"
_OTHER = "other"
FUNCTIONS = frozenset(each.name for each in (Path(__file__).parents[1] / "functions").iterdir()) - {"common"}

Spent = Mapping[str, float]  # CPU seconds by kind of work


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One process in one sample, with its CPU seconds so far: its own, and those of the children it has waited for."""

    pid: int
    created: float
    parent: int
    kind: str
    own: float
    waited: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Cumulative CPU seconds at one moment: of the tree by kind of work, and of all other processes on the machine."""

    at: float
    spent: Spent
    others: float = 0.0


class Spending:
    """CPU seconds by kind of work, accumulated over samples.

    A process that ends between two samples, or lives only between them, still counts if its parent waits for it, as
    PostgreSQL's server process does for the backend of a connection. Such CPU time goes to the kind of the parent.
    """

    def __init__(self) -> None:
        self._spent: dict[str, float] = {}
        self._last: dict[int, Sample] = {}
        self._unsampled: dict[int, float] = {}  # negative: a process ended before its parent waited for it

    @property
    def spent(self) -> Spent:
        return dict(self._spent)

    def add(self, processes: Iterable[Sample]) -> None:
        """Add a sample of all running processes."""
        now = {each.pid: each for each in processes}
        for pid, each in now.items():
            before = self._last.get(pid)
            if before and before.created == each.created:
                self._add(each.kind, each.own - before.own)
                self._unsampled[pid] = self._unsampled.get(pid, 0.0) + each.waited - before.waited
            else:
                self._add(each.kind, each.own + each.waited)
                self._unsampled[pid] = 0.0
        for pid, gone in self._last.items():
            if (pid not in now or now[pid].created != gone.created) and gone.parent in self._unsampled:
                self._unsampled[gone.parent] -= gone.own + gone.waited
        for pid, each in now.items():
            self._add(each.kind, max(0.0, self._unsampled[pid]))
        self._unsampled = {pid: min(0.0, self._unsampled[pid]) for pid in now}
        self._last = now

    def _add(self, kind: str, seconds: float) -> None:
        self._spent[kind] = self._spent.get(kind, 0.0) + seconds


class Sampler:
    """Samples the process tree below `root` in a thread, from `start` to `stop`."""

    def __init__(self, root: psutil.Process) -> None:
        self.peak_bytes = 0
        self._root = root
        self._spending = Spending()
        self._kinds: dict[tuple[int, float], str] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def mark(self) -> Mark:
        """The CPU seconds so far. Raises psutil.NoSuchProcess when the tree has ended."""
        with self._lock:
            self._sample(memory=False)
            spent = self._spending.spent
        ours = sum(spent.values()) + time.process_time()
        return Mark(at=time.monotonic(), spent=spent, others=_machine() - ours)

    def _run(self) -> None:
        while not self._stopping.wait(_INTERVAL):
            with self._lock, contextlib.suppress(psutil.NoSuchProcess):
                self._sample(memory=True)

    def _sample(self, *, memory: bool) -> None:
        held = 0
        samples = []
        for process in (self._root, *self._root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied), process.oneshot():
                samples.append(self._read(process))
                held += memory_of(process) if memory else 0
        self._spending.add(samples)
        self.peak_bytes = max(self.peak_bytes, held)

    def _read(self, process: psutil.Process) -> Sample:
        key = (process.pid, process.create_time())
        with contextlib.suppress(psutil.ZombieProcess):  # it has no command line any more; its kind is known
            self._kinds[key] = kind_of(process.name(), process.cmdline(), _folders(process))
        times = process.cpu_times()
        return Sample(
            pid=process.pid,
            created=key[1],
            parent=process.ppid(),
            kind=self._kinds.get(key, _OTHER),
            own=times.user + times.system,
            waited=times.children_user + times.children_system,
        )


def kind_of(name: str, command: Sequence[str], folders: Iterable[str] = ()) -> str:
    """The kind of work of a process. `folders` are in its working directory: a forked Lambda worker has its fork
    server's command line, but its function's folder there. An unlisted module of `localaws` is a kind by itself."""
    module = command[command.index("-m") + 1] if "-m" in command[:-1] else ""
    if "postgres" in name:
        return "PostgreSQL"
    if _SERVER in command:
        return "embedded AWS server"
    if module == _FORK_SERVER:
        functions = sorted(FUNCTIONS.intersection(folders))
        return f"Lambda {functions[0]}" if functions else "Lambda fork server"
    return module if module.startswith("localaws.") else _OTHER


def _folders(process: psutil.Process) -> list[str]:
    if _FORK_SERVER not in process.cmdline():
        return []
    try:
        return [each.name for each in Path(process.cwd()).iterdir()]
    except OSError:  # the function was just removed
        return []


def _machine() -> float:
    """Busy seconds of all processors of the machine."""
    times = psutil.cpu_times()
    return float(sum(times[:8]) - times.idle - getattr(times, "iowait", 0.0))  # guests are in user and nice already


def others(start: Mark, end: Mark) -> float:
    """Cores used by other processes between two moments; they compete for caches and processors."""
    return (end.others - start.others) / max(end.at - start.at, 1e-6)


def cores(start: Mark, end: Mark) -> dict[str, float]:
    """Cores used between two moments, by kind of work."""
    seconds = max(end.at - start.at, 1e-6)
    return {kind: spent / seconds for kind, spent in _between(start, end).items()}


def per_payment(start: Mark, end: Mark, base: Mapping[str, float], accepted: int) -> dict[str, float]:
    """CPU milliseconds per accepted payment, by kind of work, without the base load (in cores)."""
    seconds = end.at - start.at
    spent = _between(start, end)
    return {kind: 1000 * (spent[kind] - base.get(kind, 0.0) * seconds) / accepted for kind in spent}


def _between(start: Mark, end: Mark) -> dict[str, float]:
    return {kind: spent - start.spent.get(kind, 0.0) for kind, spent in end.spent.items()}
