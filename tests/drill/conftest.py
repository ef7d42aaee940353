"""An environment for all tests of a module that drill it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.drill.running_environment import deployed
from tests.drill.shared_environment import SharedEnvironment
from tests.tiers import starts


@pytest.fixture(scope="module")
@starts("stack")
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
    with shared_environment.lent(request.node.name) as lent:
        yield lent
