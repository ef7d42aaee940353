"""Fixtures that start an embedded AWS."""

import uuid
from collections.abc import Iterator

import pytest

from localaws.process import launch
from tests.local.embedded import EAST_1, EAST_2, LocalAws


@pytest.fixture(scope="session")
def shared_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """One embedded AWS without load balancers and databases for all tests; replication takes a moment."""
    log_file = tmp_path_factory.mktemp("server") / "server.log"
    lags = {"dynamodb": 250.0, "s3": 250.0, "secrets": 250.0}
    with launch.start(log_file=log_file, lags_ms=lags, bare=True) as server:
        yield LocalAws(server)


@pytest.fixture
def aws(shared_aws: LocalAws) -> Iterator[LocalAws]:
    """The shared embedded AWS, with both regions there at the start and at the end."""
    yield shared_aws
    shared_aws.heal(EAST_1, EAST_2)


@pytest.fixture
def name() -> str:
    """A name no other test uses."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def shared_planes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """One whole embedded AWS in which an AWS minute lasts half a second."""
    with launch.start(log_file=tmp_path_factory.mktemp("planes") / "server.log", speed=120.0) as server:
        yield LocalAws(server)


@pytest.fixture
def planes(shared_planes: LocalAws) -> Iterator[LocalAws]:
    """The fast embedded AWS, with both regions there at the start and at the end."""
    yield shared_planes
    shared_planes.heal(EAST_1, EAST_2)
