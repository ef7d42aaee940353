"""Environments of a checkout of this repository: an embedded AWS with all stacks deployed, as a child process."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psutil

from shared.local_endpoints import Endpoints

HERE = Path(__file__).resolve().parents[1]

_START = 180.0  # seconds until it must be ready
_STOP = 30.0  # seconds until it must have ended
_END = 6.0  # seconds for its reaper, which ends shortly after it
_LAST_LINES = 8


class EnvironmentFailed(RuntimeError):
    """An environment did not start, accepted no payment, or left processes behind."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """`file` is its `endpoints.json`, which the checkout wrote: another one may have other outputs than this one."""

    process: psutil.Process
    file: Path
    seconds: float  # from start to ready

    @cached_property
    def endpoints(self) -> Endpoints:
        """Raises EndpointsError if the checkout's outputs are not those of this one."""
        return Endpoints.read(self.file)


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A working tree, and the Python that has its dependencies."""

    directory: Path
    python: Path

    @classmethod
    def here(cls) -> "Checkout":
        return cls(directory=HERE, python=Path(sys.executable))

    @classmethod
    def at(cls, directory: Path) -> "Checkout":
        """Raises EnvironmentFailed if it has no virtual environment."""
        python = directory.resolve() / ".venv" / "bin" / "python"
        if not python.exists():
            raise EnvironmentFailed(f"{python} is missing; make it with `make -C {directory} install layer`")
        return cls(directory=directory.resolve(), python=python)

    @property
    def name(self) -> str:
        """The folder and its commit, `+` for changes that are not committed."""
        command = [
            "git",
            "--no-optional-locks",
            "-C",
            str(self.directory),
            "describe",
            "--always",
            "--exclude=*",
            "--dirty=+",
        ]
        described = subprocess.run(command, capture_output=True, text=True, check=False)
        return f"{self.directory} {described.stdout.strip()}".strip()

    @contextmanager
    def running(self, *, environment: str, speed: float) -> Iterator[Environment]:
        """Start it, wait until it is ready, and end it afterwards. Raises EnvironmentFailed."""
        with tempfile.TemporaryDirectory(prefix="bench-payments-") as folder:
            directory, log = Path(folder) / "environment", Path(folder) / "output"
            words = ["--env", environment, "--speed", f"{speed:g}", "--directory", str(directory), "--plain"]
            began = time.monotonic()
            with log.open("wb") as output:
                process = subprocess.Popen(
                    [str(self.python), "-m", "shared.local_aws", "up", *words],
                    cwd=self.directory,
                    env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,  # Ctrl-C reaches this process only, which then terminates the child
                )
            try:
                file = directory / "endpoints.json"
                self._wait(process, file, log, began + _START)
                yield Environment(process=psutil.Process(process.pid), file=file, seconds=time.monotonic() - began)
            finally:
                left = _end(process)
            if left:
                raise EnvironmentFailed(f"{self.name} left processes that had to be killed: {', '.join(left)}")

    def _wait(self, process: subprocess.Popen[bytes], file: Path, log: Path, deadline: float) -> None:
        while not file.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                status = process.returncode
                why = f"was not ready after {_START:g} s" if status is None else f"ended with status {status}"
                last = log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
                raise EnvironmentFailed("\n  ".join([f"{self.name} did not start: `localaws up` {why}", *last]))
            time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> list[str]:
    """Terminate the process and wait. Returns the processes that had to be killed afterwards."""
    tree: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        tree = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        process.wait(_STOP)
    except subprocess.TimeoutExpired:
        tree.append(psutil.Process(process.pid))
    left = _kill(psutil.wait_procs(tree, timeout=_END)[1])
    process.wait()
    return left


def _kill(processes: Sequence[psutil.Process]) -> list[str]:
    killed = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            killed.append(f"{process.name()} ({process.pid})")
            process.kill()
    return killed
