"""Starts execution environments by forking instead of from nothing; see `worker_nursery` for the reason."""

import array
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import weakref
from typing import IO

_LENGTH = 4


class Nursery:
    """The forking process, and the way to ask it. Needs Linux (pidfd); `available` says whether this machine can."""

    available = hasattr(os, "pidfd_open")

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        self._lock = threading.Lock()
        # A group of its own, so that the reaper ends it and all its forks together.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "localaws.services.lambda_.fork_server", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()

    @property
    def group(self) -> int:
        """The process group of the nursery and of every environment it forked."""
        return self._process.pid

    def start(self, script: str, folder: str, environment: dict[str, str]) -> "Forked":
        """Run `script` in a fork. Raises OSError when the nursery is gone."""
        streams = [os.pipe() for _ in range(3)]
        inside = [streams[0][0], streams[1][1], streams[2][1]]
        outside = [streams[0][1], streams[1][0], streams[2][0]]
        message = json.dumps({"script": script, "folder": folder, "environment": environment}).encode()
        try:
            with self._lock:
                rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", inside))]
                self._control.sendmsg([len(message).to_bytes(_LENGTH)], rights)
                self._control.sendall(message)
                pid = int(json.loads(self._answer())["pid"])
        except OSError:
            for stream in outside:
                os.close(stream)
            raise
        finally:
            for stream in inside:
                os.close(stream)
        return Forked(pid, open(outside[0], "w", buffering=1), open(outside[1]), open(outside[2]))

    def _answer(self) -> bytes:
        length = int.from_bytes(self._exactly(_LENGTH))
        return self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        body = b""
        while len(body) < count:
            part = self._control.recv(count - len(body))
            if not part:
                raise ConnectionError("the process that forks execution environments is gone")
            body += part
        return body

    def close(self) -> None:
        """End the nursery and every environment it forked."""
        self._control.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGKILL)
        self._process.wait()


class Forked:
    """A process that is no child of ours, as far as ministack uses subprocess.Popen."""

    def __init__(self, pid: int, stdin: IO[str], stdout: IO[str], stderr: IO[str]) -> None:
        self.pid, self.stdin, self.stdout, self.stderr = pid, stdin, stdout, stderr
        self.returncode: int | None = None
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            self.returncode = 0
            return
        self._handle = handle
        self._ended = select.poll()  # not select(), which knows the first 1024 descriptors only
        self._ended.register(handle, select.POLLIN)
        weakref.finalize(self, os.close, handle)

    def poll(self) -> int | None:
        """None while it runs. Its status is known to the nursery only, so an ended one counts as 0."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        if (status := self._look(timeout)) is None:
            raise subprocess.TimeoutExpired("execution environment", timeout or 0)
        return status

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None and self._ended.poll(None if timeout is None else 1000 * timeout):
            self.returncode = 0
        return self.returncode

    def _signal(self, number: int) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)
