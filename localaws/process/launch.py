"""Starting the server process of the embedded AWS from another process, and stopping it."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from localaws.core import environment
from localaws.core.control import PREFIX

_START = 30.0  # seconds to get ready
_STOP = 10.0  # seconds to end before it is killed


class StartError(RuntimeError):
    """The server did not get ready."""


@dataclass(frozen=True)
class RunningServer:
    """A server process of ours. It ends with this object's owner: its pipe closes with the owner's process."""

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
    remove_at_end: Sequence[Path] = (),
    keep_open: Sequence[int] = (),
    bare: bool = False,
    still: bool = False,
) -> RunningServer:
    """Start a server and wait until it answers. Raises StartError.

    `lags_ms` are replication lags in AWS milliseconds by kind, `remove_at_end` files that the server removes,
    `keep_open` file descriptors that it holds (a lock, say). A `still` server answers every call, but no traffic flows,
    nothing is probed and no database runs; a `bare` one is the emulator with replication alone.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    ready, tell_ready = os.pipe()
    watch_owner, hold = os.pipe()
    owner = os.fdopen(hold, "wb")
    command = [sys.executable, "-m", "localaws.server.main", "--log-file", str(log_file), "--speed", str(speed)]
    command += ["--regions", ",".join(regions), "--ready-fd", str(tell_ready), "--owner-fd", str(watch_owner)]
    for kind, lag in (lags_ms or {}).items():
        command += [f"--{kind}-lag-ms", str(lag)]
    for path in remove_at_end:
        command += ["--remove-at-end", str(path)]
    command += ["--parts", "none" if bare else "still" if still else "standard"]
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment.clean(os.environ),
            pass_fds=(tell_ready, watch_owner, *keep_open),
            start_new_session=True,
        )
    os.close(tell_ready)
    os.close(watch_owner)
    try:
        with os.fdopen(ready, "rb") as pipe:
            news = _line(pipe.fileno(), time.monotonic() + _START)
    except BaseException:
        owner.close()
        raise
    if "port" not in news:
        owner.close()
        _end(process)
        raise StartError(f"the embedded AWS did not start: {news.get('error', 'it ended')}; see {log_file}")
    return RunningServer(process, news["port"], log_file, owner)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a server that was told to end; its reaper cleans up after one that has to be killed."""
    try:
        process.wait(timeout=_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _line(pipe: int, deadline: float) -> dict[str, int]:
    """The server's one line of news; empty if it ended or was too slow."""
    text = b""
    while not text.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            return {}
        piece = os.read(pipe, 65536)
        if not piece:
            return {}
        text += piece
    news: dict[str, int] = json.loads(text)
    return news
