"""The embedded AWS that runs in a directory: one at a time, found by its lock and its `endpoints.json`.

Deployed secrets are in the memory of the process that deployed them and nowhere else. So that process runs the programs
again for others: it listens on loopback and requires a token from a file that only its user can read.
"""

import fcntl
import json
import os
import secrets
import select
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from localaws.core import endpoints_file

COMMAND = os.environ.get("LOCALAWS_COMMAND", "python -m localaws")
"""The name of this command line in messages; a program that wraps it sets the variable."""
DEPLOYER_FILE = "deployer.json"

_LOCK = "running"
_TIMEOUT = 10.0  # seconds for a control call
_END = 15.0  # seconds that `down` waits
_LONGEST_REQUEST = 4096
_DEPLOY_TIMEOUT = 900.0  # seconds for all programs on a busy machine


class NotPossible(RuntimeError):
    """A command cannot be carried out; the message is one line and holds the remedy."""


class Failed(RuntimeError):
    """A command failed on the way; the message gives the reason, on one or more lines."""


class Lock:
    """Held by `up` and by its server, so that it is free only when both are gone, whatever ended them."""

    def __init__(self, directory: Path) -> None:
        """Raises NotPossible while another one runs in `directory`."""
        directory.mkdir(parents=True, exist_ok=True)
        self.descriptor = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(self.descriptor, 32).decode()
            os.close(self.descriptor)
            raise NotPossible(
                f"the embedded AWS runs already in {directory} with pid {pid}; end it with `{COMMAND} down`"
            ) from None
        os.truncate(self.descriptor, 0)
        os.write(self.descriptor, str(os.getpid()).encode())


class Running:
    """An embedded AWS that answers, seen through its control API."""

    def __init__(self, control: str, directory: Path, content: dict[str, Any]) -> None:
        self._control = control
        self._directory = directory
        self.content = content  # of its `endpoints.json`

    @classmethod
    def in_directory(cls, directory: Path) -> Self:
        """The one that is up in `directory`. Raises NotPossible when none is."""
        try:
            content = json.loads((directory / endpoints_file.FILE).read_text())
        except FileNotFoundError:
            if pid := _holder(directory):
                raise NotPossible(
                    f"the embedded AWS with pid {pid} is still starting or ending; try again in a moment"
                ) from None
            raise NotPossible(
                f"no embedded AWS runs in {directory}; start one with `{COMMAND} up`, or name its --directory"
            ) from None
        return cls(content["control"], directory, content)

    def get(self, what: str) -> Any:
        return self._call("GET", what, None)

    def post(self, what: str, content: Mapping[str, Any]) -> Any:
        return self._call("POST", what, content)

    def end(self) -> None:
        """Ask it to stop and wait until nothing of it is left. Raises NotPossible if it takes too long."""
        self.post("stop", {})
        deadline = time.monotonic() + _END
        while _holder(self._directory) and time.monotonic() < deadline:
            time.sleep(0.05)
        if pid := _holder(self._directory):
            raise NotPossible(f"the embedded AWS with pid {pid} does not end; end it with `kill -9 {pid}`")

    def _call(self, method: str, what: str, content: Mapping[str, Any] | None) -> Any:
        try:
            with httpx.Client(trust_env=False, timeout=_TIMEOUT) as client:
                answer = client.request(method, f"{self._control}/{what}", json=content)
        except httpx.TransportError as error:
            raise NotPossible(
                f"the embedded AWS in {self._directory} does not answer ({type(error).__name__}); "
                f"start it again with `{COMMAND} up`"
            ) from error
        content = answer.json()
        if answer.is_error:
            raise NotPossible(content["error"])
        return content


def _holder(directory: Path) -> str | None:
    """The pid of the one that runs or starts in `directory`, if any."""
    try:
        descriptor = os.open(directory / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(descriptor, 32).decode()
    finally:
        os.close(descriptor)
    return None


class Deployer:
    """Answers requests to run the programs again. `serve` runs `deploy(stack names)` in the caller's thread; no name
    means all."""

    def __init__(self, directory: Path, deploy: Callable[[list[str]], dict[str, Any]]) -> None:
        self._deploy = deploy
        self._token = secrets.token_urlsafe(16)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._file = directory / DEPLOYER_FILE
        content = json.dumps({"port": self._socket.getsockname()[1], "token": self._token})
        partial = self._file.with_name(f".{DEPLOYER_FILE}")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(content)
        partial.replace(self._file)

    def serve(self, seconds: float) -> None:
        """Wait for a request as long as this, and answer it if one comes."""
        if not select.select([self._socket], [], [], seconds)[0]:
            return
        connection, _ = self._socket.accept()
        with connection:
            connection.settimeout(5.0)
            try:
                request = json.loads(connection.makefile().readline(_LONGEST_REQUEST))
                known = isinstance(request, dict) and secrets.compare_digest(str(request.get("token")), self._token)
                answer = (
                    self._deploy([str(stack) for stack in request.get("stacks", [])])
                    if known
                    else {"error": "this is not the token of the running deployment"}
                )
                connection.sendall(json.dumps(answer).encode() + b"\n")
            except (OSError, ValueError):
                return  # the client is gone, or sent no request

    def close(self) -> None:
        self._file.unlink(missing_ok=True)
        self._socket.close()


def deploy_again(directory: Path, stacks: Sequence[str] = ()) -> dict[str, Any]:
    """Run the programs of `stacks`, or all, once more in the process that deployed them.

    Returns what changed, by stack, or `error`. Raises NotPossible when no deployment is up.
    """
    try:
        known = json.loads((directory / DEPLOYER_FILE).read_text())
    except FileNotFoundError:
        raise NotPossible(
            f"no deployment is up in {directory}; start one with `{COMMAND} up`, or name its --directory"
        ) from None
    try:
        with socket.create_connection(("127.0.0.1", known["port"]), timeout=_DEPLOY_TIMEOUT) as connection:
            connection.sendall(json.dumps({"token": known["token"], "stacks": list(stacks)}).encode() + b"\n")
            line = connection.makefile().readline()
    except OSError as error:
        raise NotPossible(f"the deployment in {directory} does not answer ({type(error).__name__})") from error
    if not line:
        raise NotPossible(f"the deployment in {directory} ended before it answered")
    answer: dict[str, Any] = json.loads(line)
    return answer
