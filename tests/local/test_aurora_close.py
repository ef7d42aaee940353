"""The end of the databases: nothing of them stays behind."""

import tempfile
from pathlib import Path

from localaws.core import reaper
from tests.local.aurora_world import EAST_1, EAST_2, world


def test_nothing_is_left_when_the_databases_are_closed() -> None:
    with tempfile.TemporaryDirectory(prefix="localaws-test-") as name:
        directory = Path(name)
        directory.chmod(0o711)  # PostgreSQL runs as another user when we are root
        with world(directory) as aws:
            deployed = aws.ready()
            processes = [pid for region in (EAST_1, EAST_2) for pid in aws.server_processes(deployed, region)]
            assert list(directory.iterdir()), "the data was elsewhere"
            assert any(reaper.started_at(pid) for pid in processes)
        assert not any(reaper.started_at(pid) for pid in processes)
        assert list(directory.iterdir()) == []
