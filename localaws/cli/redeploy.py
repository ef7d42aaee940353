"""Running the stack programs again against the AWS that is up: what `python -m localaws deploy` asks `up` to do.

What has been deployed, secrets included, is known to the process that deployed it and to nobody else. So that one
listens on loopback, and who asks shows a token from a file that only its user can read.
"""

import json
import os
import secrets
import select
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from localaws.cli.running import NotPossible

FILE = "deployer.json"

_LONGEST_REQUEST = 4096
_PATIENCE = 900.0  # seconds for all three programs on a busy machine
Deploy = Callable[[list[str]], dict[str, Any]]  # takes the stacks' names; none means all


class Deployer:
    """The listening end. `serve` runs `deploy` in the caller's thread, one request after the other."""

    def __init__(self, directory: Path, deploy: Deploy) -> None:
        self._deploy = deploy
        self._token = secrets.token_urlsafe(16)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._file = directory / FILE
        content = json.dumps({"port": self._socket.getsockname()[1], "token": self._token})
        partial = self._file.with_name(f".{FILE}")
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
                asked = json.loads(connection.makefile().readline(_LONGEST_REQUEST))
                known = isinstance(asked, dict) and secrets.compare_digest(str(asked.get("token")), self._token)
                answer = (
                    self._deploy([str(stack) for stack in asked.get("stacks", [])])
                    if known
                    else {"error": "this is not the token of the running deployment"}
                )
                connection.sendall(json.dumps(answer).encode() + b"\n")
            except (OSError, ValueError):
                return  # who asked has gone, or asked for nothing

    def close(self) -> None:
        self._file.unlink(missing_ok=True)
        self._socket.close()


def ask(directory: Path, stacks: Sequence[str] = ()) -> dict[str, Any]:
    """Have the programs of `stacks`, or all, run once more: what changed, by stack, or `error`.

    Raises NotPossible when none is up.
    """
    try:
        known = json.loads((directory / FILE).read_text())
    except FileNotFoundError:
        raise NotPossible(
            f"no deployment is up in {directory}; start one with `python -m localaws up`, or name its --directory"
        ) from None
    try:
        with socket.create_connection(("127.0.0.1", known["port"]), timeout=_PATIENCE) as connection:
            connection.sendall(json.dumps({"token": known["token"], "stacks": list(stacks)}).encode() + b"\n")
            line = connection.makefile().readline()
    except OSError as error:
        raise NotPossible(f"the deployment in {directory} does not answer ({type(error).__name__})") from error
    if not line:
        raise NotPossible(f"the deployment in {directory} ended before it answered")
    answer: dict[str, Any] = json.loads(line)
    return answer
