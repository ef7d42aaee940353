"""An environment for all tests of a module that drill it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.drill.running_environment import deployed
from tests.drill.shared_environment import SharedEnvironment


@pytest.fixture(scope="module")
def shared_environment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SharedEnvironment]:
    """At the module's `SPEED`; at one that this machine sustains where the module names none."""

    def deploy(speed: float | None) -> AbstractContextManager[Path]:
        return deployed(tmp_path_factory.mktemp("deployed"), speed=speed)

    with SharedEnvironment(deploy, speed=getattr(request.module, "SPEED", None)) as made:
        yield made


@pytest.fixture
def environment(shared_environment: SharedEnvironment, request: pytest.FixtureRequest) -> Iterator[SharedEnvironment]:
    """The module's, which the test has to leave as it found it."""
    assert request.node.get_closest_marker("rehearsal"), "mark the test with rehearsal: it takes minutes"
    with shared_environment.lent(request.node.name) as lent:
        yield lent
