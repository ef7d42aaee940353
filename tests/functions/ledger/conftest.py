"""One embedded AWS with a PostgreSQL server per module, and a ledger world without rows per test."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from localaws.core import environment
from tests.functions.harness import EAST_1
from tests.functions.ledger.world import LedgerWorld
from tests.local.aurora_world import Deployed, destroy, world
from tests.tiers import starts


@pytest.fixture(scope="module")
@starts("emulator")
def database() -> Iterator[Deployed]:
    with tempfile.TemporaryDirectory(prefix="localaws-test-") as directory:
        Path(directory).chmod(0o711)  # PostgreSQL runs as another user when we are root
        with world(Path(directory)) as made:
            deployed = made.ready()
            yield deployed
            destroy(deployed)


@pytest.fixture
def aws(database: Deployed, monkeypatch: pytest.MonkeyPatch) -> Iterator[LedgerWorld]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", database.emulator.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", environment.ACCOUNT)
    yield LedgerWorld(database)
    database.sql(EAST_1, "DROP TABLE IF EXISTS ledger")
