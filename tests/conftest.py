"""Fixtures for every test, among them the embedded AWS that tests of all folders share, and the tiers."""

import functools
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import botocore.loaders
import botocore.session
import pytest

from localaws import launch
from tests import made_once, recorder
from tests.drill.running_environment import deployed, set_speed
from tests.drill.shared_environment import SharedEnvironment
from tests.local.embedded import EAST_1, EAST_2, LocalAws
from tests.recorder import Built
from tests.tiers import TIERS, Tiers, starts


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--results", help="file for the number of tests by outcome, as JSON")
    parser.addoption("--tier-files", help="file for the test files of each tier, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    for tier in TIERS:
        config.addinivalue_line("markers", f"{tier}: see tests/tiers.py")
    config.pluginmanager.register(Tiers(), "tiers")
    # Each botocore session parses the service models anew, and tests make hundreds of sessions.
    vars(botocore.session)["create_loader"] = functools.cache(botocore.loaders.create_loader)
    if made_once.FOLDER not in os.environ:  # else `python -m tests` or the controller of this worker has set it
        folder = tempfile.TemporaryDirectory(prefix="tests-")
        patch = pytest.MonkeyPatch()
        patch.setenv(made_once.FOLDER, folder.name)
        config.add_cleanup(patch.undo)
        config.add_cleanup(folder.cleanup)


@pytest.fixture
def build(tmp_path: Path) -> Callable[[Callable[[], object]], Built]:
    """Run a function as a Pulumi program and get what it registered."""
    return lambda main: recorder.build(main, tmp_path)


@pytest.fixture
def name() -> str:
    """A name no other test uses."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
@starts("emulator")
def shared_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """One embedded AWS without load balancers and databases for all tests; replication takes a moment."""
    log_file = tmp_path_factory.mktemp("server") / "server.log"
    lags = {"dynamodb": 250.0, "s3": 250.0, "secrets": 250.0}
    with launch.start(log_file=log_file, lags_ms=lags, profile="minimal") as server:
        yield LocalAws(server)


@pytest.fixture
def aws(shared_aws: LocalAws) -> Iterator[LocalAws]:
    """The shared embedded AWS, with both regions there at the start and at the end."""
    yield shared_aws
    shared_aws.heal(EAST_1, EAST_2)


@pytest.fixture(scope="session")
@starts("emulator")
def shared_planes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """One whole embedded AWS in which an AWS minute lasts half a second."""
    with launch.start(log_file=tmp_path_factory.mktemp("planes") / "server.log", speed=120.0) as server:
        yield LocalAws(server)


@pytest.fixture
def planes(shared_planes: LocalAws) -> Iterator[LocalAws]:
    """The fast embedded AWS, with both regions there at the start and at the end."""
    yield shared_planes
    shared_planes.heal(EAST_1, EAST_2)


@pytest.fixture(scope="session")
@starts("stack")
def shared_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedEnvironment]:
    """The three stacks on an embedded AWS of their own, for all tests that need them; deployed for the first one."""

    def deploy(speed: float) -> AbstractContextManager[Path]:
        return deployed(tmp_path_factory.mktemp("deployed"), speed)

    with SharedEnvironment(deploy, set_speed) as made:
        yield made


@pytest.fixture
def environment(shared_environment: SharedEnvironment, request: pytest.FixtureRequest) -> Iterator[SharedEnvironment]:
    """The shared one at the module's `SPEED`, or at one that this machine sustains where the module names none. Each
    test has to leave it as it found it."""
    speed = getattr(request.module, "SPEED", None)
    with shared_environment.lent(request.node.name, speed=speed) as lent:
        yield lent
