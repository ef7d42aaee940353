"""Commands run in this process against the stand-in for `pulumi` and an account of moto's."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from ops.cli import app
from tests.ops.stand_in import PulumiStandIn
from tests.programs.profiles import registered as rows_of

Ops = Callable[..., Result]


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PulumiStandIn]:
    folder = tmp_path / "bin"
    folder.mkdir()
    with PulumiStandIn(folder) as stand_in:
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        yield stand_in


@pytest.fixture(scope="session")
def registered() -> list[dict[str, Any]]:
    """Every resource of the three programs, with the settings of dev."""
    return [dict(row) for row in rows_of("dev")]


@pytest.fixture
def signed_in(pulumi: PulumiStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of an account that STS knows, and nothing else answers for."""
    for variable in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    for variable, value in pulumi.environment.items():
        if variable.startswith("AWS_"):
            monkeypatch.setenv(variable, value)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Credentials of an account in which nothing is."""
    for variable in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    with mock_aws():
        yield


@pytest.fixture
def ops() -> Ops:
    """Run a command with typed input; the result has all of its output."""
    return lambda *words, typed="": CliRunner().invoke(app, words, input=typed)
