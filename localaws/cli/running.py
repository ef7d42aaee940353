"""The embedded AWS that runs in a directory: one at a time, found by its lock and its `endpoints.json`."""

import fcntl
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx

from localaws.core import endpoints_file

_LOCK = "running"
_TIMEOUT = 10.0  # seconds for a control call
_END = 15.0  # seconds that `down` waits


class NotPossible(RuntimeError):
    """A command cannot be carried out; the message is one line and holds the remedy."""


class Failed(RuntimeError):
    """A command failed on the way; the message says why, on one or more lines."""


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
                f"the embedded AWS runs already in {directory} with pid {pid}; end it with `python -m localaws down`"
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
                f"no embedded AWS runs in {directory}; start one with `python -m localaws up`, or name its --directory"
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
                "start it again with `python -m localaws up`"
            ) from error
        told = answer.json()
        if answer.is_error:
            raise NotPossible(told["error"])
        return told


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
