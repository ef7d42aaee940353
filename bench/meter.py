"""Cost of a piece of work: wall-clock seconds, and CPU seconds of the runner (this process) and of the server."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

_MEGABYTE = 1 << 20


@dataclass(kw_only=True)
class Cost:
    """Seconds by the clock and of CPU. Compare CPU seconds, which other programs on the machine do not change."""

    seconds: float = 0.0
    runner: float = 0.0
    server: float = 0.0

    @property
    def cpu(self) -> float:
        return self.runner + self.server


class Meter:
    """Measures the server process with this pid, and its child processes."""

    def __init__(self, server: int) -> None:
        self._server = psutil.Process(server)
        self._runner = psutil.Process()

    @contextmanager
    def measure(self) -> Iterator[Cost]:
        """The cost of the block; complete when it ends."""
        cost = Cost()
        began, runner, server = time.monotonic(), _cpu(self._runner), _cpu(self._server)
        yield cost
        cost.seconds = time.monotonic() - began
        cost.runner, cost.server = _cpu(self._runner) - runner, _cpu(self._server) - server

    def memory(self) -> int:
        """Resident megabytes of the server process."""
        return int(self._server.memory_info().rss / _MEGABYTE)

    def children(self) -> int:
        """Number of processes below the server: databases, functions."""
        return len(self._server.children(recursive=True))

    def idle(self, seconds: float) -> float:
        """Share of one CPU, in percent, that the server process uses without requests."""
        before = _cpu(self._server)
        time.sleep(seconds)
        return 100 * (_cpu(self._server) - before) / seconds


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
