"""Starts the server process of the embedded AWS from another process, and stops it."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Literal, Self

from localaws.core import environment
from localaws.core.control import PREFIX

Profile = Literal["full", "control-plane", "minimal"]
"""The profile of a server. control-plane: every API, but neither traffic, probes nor databases; minimal:
the emulator with replication alone."""

_START = 30.0  # seconds to get ready
_STOP = 10.0  # seconds to end before it is killed


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The options of a server, as JSON in its command line."""

    log_file: str
    speed: float  # AWS seconds in a second of this machine
    regions: Sequence[str]  # the first serves calls that name no region
    lags_ms: Mapping[str, float] = field(default_factory=dict)  # replication lags that differ from the default
    nlb_tail: float = 0.0  # AWS seconds for which load balancers still use a target that became unhealthy
    remove_at_end: Sequence[str] = ()
    profile: Profile = "full"
    ready: int | None = None  # file descriptor that gets {port} or {error} as a line of JSON
    owner: int | None = None  # file descriptor whose end of file means that the owner is gone


class StartError(RuntimeError):
    """The server did not get ready."""


@dataclass(frozen=True)
class RunningServer:
    """A server process that ends with the one that started it: its pipe closes then."""

    process: subprocess.Popen[bytes]
    port: int
    log_file: Path
    _owner: IO[bytes]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def control(self) -> str:
        return f"{self.endpoint}{PREFIX}"

    def stop(self) -> None:
        """End it and wait; a server that does not end in time is killed, its reaper cleans up."""
        self.process.terminate()
        _end(self.process)
        self._owner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()


def start(
    *,
    log_file: Path,
    speed: float = 1.0,
    regions: Sequence[str] = ("us-east-1", "us-east-2"),
    lags_ms: Mapping[str, float] | None = None,
    nlb_tail: float = 0.0,
    remove_at_end: Sequence[Path] = (),
    keep_open: Sequence[int] = (),
    profile: Profile = "full",
) -> RunningServer:
    """Start a server and wait until it answers. Raises StartError.

    `lags_ms` are replication lags in AWS milliseconds by kind, `remove_at_end` files that the server removes,
    `keep_open` file descriptors that it holds (such as a lock).
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    ready, report = os.pipe()
    watched, held = os.pipe()
    owner = os.fdopen(held, "wb")
    settings = Settings(
        log_file=str(log_file.resolve()),
        speed=speed,
        regions=regions,
        lags_ms=lags_ms or {},
        nlb_tail=nlb_tail,
        remove_at_end=[str(path.resolve()) for path in remove_at_end],
        profile=profile,
        ready=report,
        owner=watched,
    )
    command = [sys.executable, "-m", "localaws.server.main", json.dumps(asdict(settings))]
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment.clean(os.environ),
            pass_fds=(report, watched, *keep_open),
            start_new_session=True,
        )
    os.close(report)
    os.close(watched)
    try:
        with os.fdopen(ready, "rb") as pipe:
            started = _line(pipe.fileno(), time.monotonic() + _START)
    except BaseException:
        owner.close()
        raise
    if "port" not in started:
        owner.close()
        _end(process)
        raise StartError(f"the embedded AWS did not start: {started.get('error', 'it ended')}; see {log_file}")
    return RunningServer(process, started["port"], log_file, owner)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a server that is ending; its reaper cleans up after one that has to be killed."""
    try:
        process.wait(timeout=_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _line(pipe: int, deadline: float) -> dict[str, int]:
    """The line that a server writes once it is ready; empty if it ended or was too slow."""
    text = b""
    while not text.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            return {}
        piece = os.read(pipe, 65536)
        if not piece:
            return {}
        text += piece
    line: dict[str, int] = json.loads(text)
    return line
