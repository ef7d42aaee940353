"""The environment shared by tests that need a deployed one. Each test restores it, or the next one gets a new one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from drill.scenarios.settings import AUTOMATIC_SPEED
from shared.deployment import Deployment, DeploymentError
from shared.deployment_search import local
from shared.local_endpoints import Endpoints
from shared.places import Place
from tests.drill.run_processes import state
from tests.local.embedded import eventually

Facts = dict[str, Any]

_SETTLES_SECONDS = 60.0
"""For targets to be healthy again and a state machine to end, on a slow machine; what is as before costs no time."""

_SLOWEST = 1.0
_WELL = ("healthy", "unused", "unavailable")  # of a target; the last: nobody checks its health


class SharedEnvironment:
    """Three deployed stacks. They are deployed when the first test needs them, and anew after a test that left them
    otherwise than it found them."""

    def __init__(
        self,
        deploy: Callable[[float], AbstractContextManager[Path]],
        set_speed: Callable[[Path, float | None], None],
        read: Callable[[Path], Facts] | None = None,
    ) -> None:
        """`deploy` is given a speed; `set_speed` another one, or none to choose one that this machine sustains."""
        self._deploy, self._set_speed, self._read = deploy, set_speed, read or facts
        self._speed: float | None = None  # the present test's
        self._sustained: float | None = None  # chosen for tests that name none
        self._up = ExitStack()
        self._file: Path | None = None
        self._before: Facts = {}
        self._may_differ = False

    def __enter__(self) -> "SharedEnvironment":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.discard()

    @property
    def file(self) -> Path:
        """Its `endpoints.json`."""
        if self._file is None:
            self._file = self._up.enter_context(self._deploy(self._speed or self._sustained or AUTOMATIC_SPEED))
            self._before = self._read(self._file)
            self._adjust_speed()
        return self._file

    def _adjust_speed(self) -> None:
        """Go on at the present test's speed."""
        wanted = self._speed or self._sustained
        if self._file and (wanted is None or wanted != self._before["speed"]):
            self._set_speed(self._file, wanted)
            self._before = {**self._before, "speed": self._read(self._file)["speed"]}
        if self._file and self._speed is None:
            self._sustained = self._before["speed"]

    @property
    def deployment(self) -> Deployment:
        return local(file=self.file)

    def discard(self) -> None:
        """End it; whoever needs it next gets a new one."""
        self._file = None
        self._up.close()

    def start_anew_at_half_speed(self) -> None:
        """For the present test, and for all further ones that name no speed."""
        slower = max(_SLOWEST, self._before.get("speed", AUTOMATIC_SPEED) / 2)
        self.discard()
        if self._speed is None:
            self._sustained = slower
        else:
            self._speed = slower

    def expect_a_difference(self) -> None:
        """The test that is running may leave it otherwise than it found it; the next one gets a new one. Also where
        nothing seems to differ: what is missing from a ledger or a journal is not compared."""
        self._may_differ = True

    def differences(self) -> list[str]:
        """The differences from the environment as it was deployed, once it had time to settle."""
        if self._file is None:
            return []
        timeout = 0.0 if self._may_differ else _SETTLES_SECONDS
        file, found = self._file, list[str]()

        def is_as_before() -> bool:
            found[:] = compared(self._before, self._read(file))
            return not found

        eventually(is_as_before, within=timeout)
        return found

    @contextmanager
    def lent(self, test: str, *, speed: float | None = None) -> Iterator["SharedEnvironment"]:
        """To a test, which fails if it leaves it otherwise than it found it. Without `speed`, at one that this machine
        sustains."""
        self._may_differ, self._speed = False, speed
        self._adjust_speed()
        found: list[str] = []
        try:
            yield self
        finally:
            found = self.differences()
            if found or self._may_differ:
                self.discard()
        if found and not self._may_differ:
            pytest.fail(f"{test} left the shared environment otherwise than it found it: {'; '.join(found)}")


def compared(before: Facts, now: Facts) -> list[str]:
    return [f"{name}: {before.get(name)} before, {it} now" for name, it in now.items() if it != before.get(name)]


def facts(file: Path) -> Facts:
    """The state that every test must leave unchanged; without AWS's part while AWS does not respond."""
    status = httpx.get(f"{Endpoints.read(file).control}/status", trust_env=False, timeout=30).raise_for_status().json()
    found = {
        "speed": status["speed"],
        "regions away": [region for region, each in status["regions"].items() if each["outage"]],
        "faults": status["faults"],
        "databases": [(each["region"], each["role"], each["running"], each["down"]) for each in status["databases"]],
        "targets unwell": [each["target"] for each in status["targets"] if each["state"] not in _WELL],
    }
    if found["regions away"]:
        return found
    try:
        deployment = local(file=file)
        return found | {
            "control records, members and workflows": state(file),
            "schedules": {place.value: _schedules(deployment, place) for place in Place},
            "functions": {place.value: _handlers(deployment, place) for place in Place},
        }
    except (BotoCoreError, ClientError, DeploymentError) as error:
        return found | {"AWS": f"cannot be asked: {error}"}


def _schedules(deployment: Deployment, place: Place) -> dict[str, str]:
    found = deployment.client("scheduler", place).list_schedules()["Schedules"]
    return {each["Name"]: each["State"] for each in found}


def _handlers(deployment: Deployment, place: Place) -> dict[str, str]:
    found = deployment.client("lambda", place).list_functions()["Functions"]
    return {each["FunctionName"]: each["Handler"] for each in found}
