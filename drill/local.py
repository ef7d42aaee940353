"""The embedded AWS as a child process: started with the three stacks deployed, and ended with everything it started."""

import asyncio
import contextlib
import os
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from drill.endpoints import Endpoints

_START_SECONDS = 180.0  # a cold start on a slow machine; warm it is a few seconds
_STOP_SECONDS = 30.0  # above the keeper's own grace
_END_SECONDS = 6.0  # its reaper outlives it by a moment
_LAST_LINES = 12


class StartError(RuntimeError):
    """The environment to drill in did not start, or did not end as it must."""


def up_command(*, environment: str, speed: float, directory: Path) -> list[str]:
    """What starts the embedded AWS and stays until SIGTERM."""
    words = ["--env", environment, "--speed", f"{speed:g}", "--directory", str(directory), "--plain"]
    return [sys.executable, "-m", "localaws", "up", *words]


class LocalAws:
    """One embedded AWS. `on_line` gets each line that it prints while it starts and runs."""

    def __init__(self, command: Sequence[str], directory: Path, on_line: Callable[[str], None]) -> None:
        self._command = list(command)
        self._file = directory / "endpoints.json"
        self._on_line = on_line
        self._last: deque[str] = deque(maxlen=_LAST_LINES)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> Endpoints:
        """Wait until it is ready. Raises StartError with its last lines when it ends early or takes too long, and
        EndpointsError when what it wrote is not what it promises."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.unlink(missing_ok=True)  # an earlier run's addresses would be believed
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "drill.keeper", *self._command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=1024 * 1024,
            env=_environment(),
        )
        self._reader = asyncio.create_task(self._read(self._process))
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not self._file.exists():
                    if self._process.returncode is not None:
                        await self._reader
                        raise StartError(self._said(f"it ended with status {self._process.returncode}"))
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise StartError(self._said(f"it was not ready after {_START_SECONDS:g} s")) from None
        return Endpoints.read(self._file)

    def processes(self) -> list[psutil.Process]:
        """All processes of the embedded AWS that run now, the keeper first."""
        if self._process is None or self._process.returncode is not None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            keeper = psutil.Process(self._process.pid)
            return [keeper, *keeper.children(recursive=True)]
        return []

    async def stop(self) -> list[str]:
        """End it and wait. Returns what was still there afterwards and had to be killed: nothing, if all is well."""
        if self._process is None:
            return []
        before = self.processes()
        if self._process.returncode is None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                async with asyncio.timeout(_STOP_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        if self._reader is not None:
            await asyncio.wait({self._reader}, timeout=2)
            self._reader.cancel()
        return await asyncio.to_thread(_kill_left, before)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip()
            if line and (not self._last or line != self._last[-1]):  # what it waits for, it says again and again
                self._last.append(line)
                self._on_line(line)

    def _said(self, what: str) -> str:
        return "\n  ".join([f"the embedded AWS did not start: {what}; it said:", *(self._last or ["nothing"])])


def _environment() -> dict[str, str]:
    """The user's environment without AWS settings: a rehearsal neither needs nor shows them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {"PYTHONUNBUFFERED": "1"}


def _kill_left(processes: Sequence[psutil.Process]) -> list[str]:
    _, alive = psutil.wait_procs(processes, timeout=_END_SECONDS)
    left = []
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            left.append(f"{process.name()} ({process.pid})")
            process.kill()
    return left
