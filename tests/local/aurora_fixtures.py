"""A global database that all tests of a module use, and what brings it back to where it began."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.local.aurora_world import EAST_1, EAST_2, Deployed, World, destroy, eventually, world
from tests.tiers import starts


@pytest.fixture(scope="module")
@starts("emulator")
def aws() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="localaws-test-") as directory:
        Path(directory).chmod(0o711)  # PostgreSQL runs as another user when we are root
        with world(Path(directory)) as made:
            yield made


@pytest.fixture(scope="module")
def lasting(aws: World) -> Iterator[Deployed]:
    deployed = aws.ready()
    yield deployed
    destroy(deployed)


def reset_and_empty(aws: World, lasting: Deployed) -> Deployed:
    """Both members are there, the writer in us-east-1, the table empty in both. What was broken is healed already."""
    eventually(lambda: lasting.available() and lasting.synchronization() == {"connected"}, "a healthy database")
    if lasting.writer() != lasting.clusters[EAST_1]:
        lasting.switch_over(EAST_1)
        eventually(
            lambda: lasting.writer() == lasting.clusters[EAST_1] and lasting.available(), "the writer in us-east-1"
        )
    lasting.sql(EAST_1, "TRUNCATE t")
    eventually(lambda: aws.read(lasting, EAST_2) == [], "an empty table")
    return lasting


@pytest.fixture
def ledger(aws: World, lasting: Deployed) -> Deployed:
    """A global database both of whose regions are there, the writer in us-east-1, its table empty everywhere."""
    for region in (EAST_1, EAST_2):
        aws.outages.heal(region)
    aws.pairs.set_lag(0)
    return reset_and_empty(aws, lasting)


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])
