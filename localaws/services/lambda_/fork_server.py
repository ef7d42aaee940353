"""A process that forks execution environments for Python functions, and its client `ForkServer`.

Run as `python -m localaws.services.lambda_.fork_server <socket>`.

A function's libraries take most of a second of CPU to import. On AWS, cold starts run side by side on many machines;
here a burst of them would take the traffic's own processor time. So one process imports the libraries once,
and every execution environment is a fork of it: it starts in milliseconds and shares their memory. A function still
imports its own code in an environment of its own, as on AWS.

Each request is one message on a SOCK_SEQPACKET socket: JSON with the script, its folder and its whole environment, and
three file descriptors for its standard streams. The reply is the process id.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
import weakref
from typing import IO, Any

# What functions import, and the services they call. A missing entry only makes a start slower. Some libraries load
# parts of themselves when they are first used; those are named too.
PRELOADED = (
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.tracing",
    "aws_lambda_powertools.utilities.typing",
    "boto3",
    "botocore.config",
    "botocore.session",
    "concurrent.futures.thread",
    "dns.resolver",
    "pydantic.fields",
    "pydantic.functional_validators",
    "pydantic.json_schema",
    "pydantic.main",
    "pydantic.types",
    "urllib3",
    "zoneinfo",
)
SERVICES = ("dynamodb", "events", "rds", "rds-data", "secretsmanager", "sns", "sqs", "ssm", "stepfunctions")
LONGEST_MESSAGE = 256 * 1024  # bytes; more than a socket's default send buffer lets pass
_STREAMS = 3


def serve(control: socket.socket) -> None:
    """Fork for each request until the other end closes."""
    for name in PRELOADED:
        importlib.import_module(name)
    _share_service_models()
    gc.freeze()  # what is loaded now stays shared: collections in the children do not touch it
    gc.set_threshold(10_000, 20, 50)  # nor are they so frequent that they cost more than the work
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel collects them; the client watches them
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        message, streams, _, _ = socket.recv_fds(control, LONGEST_MESSAGE, _STREAMS)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            _become(json.loads(message), streams)
        for stream in streams:
            os.close(stream)
        control.send(str(pid).encode())


def _share_service_models() -> None:
    """Let botocore read each file of a service's description once for all forks: parsed, they are megabytes, which each
    execution environment would hold for itself and take a tenth of a second of CPU to make."""
    import botocore.loaders
    import botocore.session

    loader: Any = botocore.loaders.JSONFileLoader
    read, parsed = loader.load_file, {}

    def load_file(self: Any, path: str) -> Any:
        if path not in parsed:
            parsed[path] = read(self, path)
        return parsed[path]

    loader.load_file = load_file
    session = botocore.session.Session()
    for service in SERVICES:
        session.create_client(service, region_name="us-east-1", aws_access_key_id="-", aws_secret_access_key="-")


def _become(message: dict[str, Any], streams: list[int]) -> None:
    """Turn this fork into the execution environment: run its script, and never return."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(message["environment"])
    os.chdir(message["folder"])
    sys.argv = [message["script"]]
    sys.path[0] = os.path.dirname(message["script"])
    # The process's own streams: they live as long as it does.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    status = 1
    try:
        runpy.run_path(message["script"], run_name="__main__")
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0
    except BaseException:  # noqa: BLE001 - nothing may escape into the fork server's own code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


class ForkServer:
    """Starts and controls the forking process. Needs Linux (pidfd)."""

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


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
