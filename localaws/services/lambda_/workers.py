"""The client of `fork_server`: starts execution environments by forking, and controls the forked processes."""

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


class ForkServer:
    """The forking process. Needs Linux (pidfd)."""

    available = hasattr(os, "pidfd_open")

    def __init__(self) -> None:
        self._control, other_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        # A group of its own, so that the reaper ends it and all its forks together.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "localaws.services.lambda_.fork_server", str(other_end.fileno())],
            pass_fds=[other_end.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        other_end.close()

    @property
    def group(self) -> int:
        """The process group of the fork server and of every environment it forked."""
        return self._process.pid

    def start(self, script: str, folder: str, environment: dict[str, str]) -> "ForkedProcess":
        """Run `script` in a fork. Raises OSError when the fork server has ended."""
        streams = [os.pipe() for _ in range(3)]
        inside = [streams[0][0], streams[1][1], streams[2][1]]
        outside = [streams[0][1], streams[1][0], streams[2][0]]
        message = json.dumps({"script": script, "folder": folder, "environment": environment}).encode()
        try:
            with self._lock:
                socket.send_fds(self._control, [message], inside)
                if not (pid := self._control.recv(64)):
                    raise ConnectionError("the process that forks execution environments has ended")
        except OSError:
            for stream in outside:
                os.close(stream)
            raise
        finally:
            for stream in inside:
                os.close(stream)
        return ForkedProcess(int(pid), open(outside[0], "w", buffering=1), open(outside[1]), open(outside[2]))

    def close(self) -> None:
        """Kill the fork server and every environment it forked."""
        self._control.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGKILL)
        self._process.wait()


class ForkedProcess:
    """A process that is not our child, with the part of subprocess.Popen's interface that ministack uses."""

    def __init__(self, pid: int, stdin: IO[str], stdout: IO[str], stderr: IO[str]) -> None:
        self.pid, self.stdin, self.stdout, self.stderr = pid, stdin, stdout, stderr
        self.returncode: int | None = None
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            self.returncode = 0
            return
        self._handle = handle
        self._ended = select.poll()  # not select(), which supports the first 1024 descriptors only
        self._ended.register(handle, select.POLLIN)
        weakref.finalize(self, os.close, handle)

    def poll(self) -> int | None:
        """None while it runs. Only the fork server learns its status, so an ended one counts as 0."""
        return self._status(0)

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        if (status := self._status(timeout)) is None:
            raise subprocess.TimeoutExpired("execution environment", timeout or 0)
        return status

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _status(self, timeout: float | None) -> int | None:
        if self.returncode is None and self._ended.poll(None if timeout is None else 1000 * timeout):
            self.returncode = 0
        return self.returncode

    def _signal(self, number: int) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)
