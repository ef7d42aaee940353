"""`dr drill run` besides the runs themselves: whether it begins, how a series ends, and its output when something is
left. Nothing here has an environment; `test_run_ends.py` and `test_run_scenarios.py` have.
"""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from drill.__main__ import app
from drill.actions.regions import Fence, Unfence
from drill.cli import run as command
from drill.engine import deployed_run
from drill.engine.deployed_run import DeployedRun
from drill.engine.run import Run
from drill.model.context import plain
from drill.model.errors import ActionError, CouldNotStart, RollbackIncomplete
from drill.observe.progress import Progress
from drill.runlog import folders
from drill.runlog.entries import ActionBegun
from drill.runlog.log import is_cut_off, read
from drill.scenarios.deployed import DEPLOYED_SCENARIOS, GAME_DAY
from drill.scenarios.deployed.traffic_evacuation import TRAFFIC_EVACUATION
from drill.scenarios.settings import settings
from shared.deployment import Deployment
from shared.places import Place
from tests.drill.answers import deployment

_KEY = {"DRILL_CLIENT_KEY": "key"}
_NAMES = list(DEPLOYED_SCENARIOS)


@pytest.fixture(autouse=True)
def ready(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment is found and looks well; folders are made in a new directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "find_deployment", lambda *_, **__: deployment())
    monkeypatch.setattr(command, "_refuse_unready", lambda *_, **__: None)


def ran(name: str, *options: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, ["run", name, *options], env=_KEY, input=typed)


def series(printed: str) -> list[tuple[str, str]]:
    """The result of each scenario in the final table."""
    names = "|".join(_NAMES)
    return [(found[1], found[2]) for found in re.finditer(rf"(?m)^ +([a-z ]+?)  ({names})$", printed)]


@pytest.mark.parametrize(
    ("statuses", "words", "end"),
    [
        ([1, 3], ["failed", "rollback incomplete"], 3),
        ([1, 2], ["failed", "could not start"], 2),
        ([1, 130], ["failed", "interrupted"], 130),
        ([143], ["interrupted"], 143),
        ([1] * 6, ["failed"] * 6, 1),
    ],
)
def test_after_a_scenario_that_leaves_something_the_following_are_not_run(
    monkeypatch: pytest.MonkeyPatch, statuses: list[int], words: list[str], end: int
) -> None:
    left, asked = list(statuses), []

    async def perform(self: DeployedRun, _progress: Progress) -> None:
        asked.append(self.settings.scenario.name)
        status = left.pop(0)
        if status > 128:
            self.interrupted.append(status - 128)
            raise asyncio.CancelledError
        raise {1: ActionError, 2: CouldNotStart, 3: RollbackIncomplete}[status]("any")

    monkeypatch.setattr(DeployedRun, "perform", perform)

    done = ran(GAME_DAY, "--yes")

    assert done.exit_code == end
    assert asked == _NAMES[: len(statuses)]
    assert series(done.stdout) == list(zip([*words, *["not run"] * (6 - len(words))], _NAMES, strict=True))


@pytest.mark.parametrize(("typed", "printed"), [("", "confirmation needs a terminal"), ("prod\n", "prod is not dev")])
def test_what_nobody_agreed_to_is_not_started(typed: str, printed: str) -> None:
    refused = ran(TRAFFIC_EVACUATION.name, typed=typed)

    assert refused.exit_code == 2, "1 would mean that an objective was missed"
    assert f"Not started: {printed}" in refused.stderr
    assert not Path("build").exists()


@pytest.mark.parametrize(
    ("options", "again"),
    [
        (("--env", "prod"), ("--env", "prod")),
        (("--env", "dev", "--local"), ("--env", "dev", "--local")),
        (("--env", "local", "--endpoints", "a b"), ("--env", "local", "--endpoints", "'a b'")),
        (("--env", "dev", "--endpoints", "unused"), ("--env", "dev")),
        (("--env", "dev", "--root", "other"), ("--env", "dev", "--root", "other")),
    ],
)
@pytest.mark.parametrize(("installed", "program"), [(True, "dr drill"), (False, "python -m drill")])
def test_the_command_that_restores_the_rest_names_the_same_environment_and_folders(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], again: tuple[str, ...], installed: bool, program: str
) -> None:
    async def incomplete(_self: DeployedRun, _progress: Progress) -> None:
        raise RollbackIncomplete("left to do: open the fence")

    monkeypatch.setattr(DeployedRun, "perform", incomplete)
    monkeypatch.setattr("sys.executable", str(Path.cwd() / ".venv/bin/python"))
    if installed:
        Path(".venv/bin").mkdir(parents=True)
        Path(".venv/bin/dr").touch()

    ended = ran(TRAFFIC_EVACUATION.name, "--yes", *options)

    root = Path("other") if "other" in options else folders.ROOT
    [folder] = (root / options[1]).iterdir()
    assert ended.exit_code == 3
    assert ended.stderr == (
        "Rollback incomplete: left to do: open the fence\n"
        f"Then: .venv/bin/{program} cleanup {folder.name} {' '.join(again)}\n"
    )


@pytest.mark.parametrize(
    ("statuses", "status"),
    [([0, 0], 0), ([0, 1, 0], 1), ([1, 4], 1), ([0, 4], 4), ([1, 2], 2), ([1, 3], 3), ([1, 130], 130)],
)
def test_an_inconclusive_scenario_does_not_hide_that_another_one_failed(statuses: list[int], status: int) -> None:
    assert command._status(statuses) == status


async def baseline_restored(_found: Deployment) -> list[str]:
    return []


async def interrupted(_found: Deployment) -> list[str]:
    raise asyncio.CancelledError


async def away(_found: Deployment) -> list[str]:
    raise ActionError("us-east-1 is still fenced")


@pytest.mark.parametrize(
    ("is_undone", "restore_baseline", "left"),
    [
        (False, baseline_restored, "unfence the primary region"),
        (True, interrupted, "restore the baseline, which was interrupted"),
        (True, away, "us-east-1 is still fenced"),
    ],
)
def test_a_rollback_that_was_itself_interrupted_is_not_called_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_undone: bool, restore_baseline: Callable[..., Any], left: str
) -> None:
    folder, found = tmp_path / "run", deployment()

    async def cancelled(run: Run) -> None:
        run._write_start()
        undo = None if is_undone else plain(Unfence(Place.PRIMARY))
        run.run_log.write(ActionBegun(action="1", name=Fence(Place.PRIMARY).name, rollback=undo))
        raise asyncio.CancelledError

    monkeypatch.setattr(Run, "perform", cancelled)
    monkeypatch.setattr(deployed_run, "restore_baseline", restore_baseline)
    made = settings(TRAFFIC_EVACUATION, found, folder, rate=5, outage_mode="error", seed=1)
    one = DeployedRun(
        settings=made, deployment=found, endpoints_file=Path("none"), client_key=SecretStr("key"), interrupted=[2]
    )

    with pytest.raises(RollbackIncomplete, match=f"^left to do: {left}$"):
        asyncio.run(one.perform(Progress(title="any")))

    assert is_cut_off(read(folder)), "cleaning up has something to do"
