"""Fixtures for every test."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import recorder
from tests.recorder import Built


@pytest.fixture
def build(tmp_path: Path) -> Callable[[Callable[[], object]], Built]:
    """Run a function as a Pulumi program and get what it registered."""
    return lambda main: recorder.build(main, tmp_path)
