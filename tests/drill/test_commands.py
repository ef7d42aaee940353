"""The drill's command line around the runs: what it shows, and how it ends."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from drill.__main__ import app
from drill.cli.check import table
from drill.cli.plan import described
from drill.preflight import database, functions
from drill.preflight.run import check_readiness
from drill.scenarios.deployed import DEPLOYED_SCENARIOS, GAME_DAY
from drill.scenarios.simulated import SCENARIOS
from shared.places import Place
from tests.drill import healthy
from tests.drill.answers import Answers, deployment


def test_every_scenario_is_listed_and_has_a_plan() -> None:
    listed = json.loads(CliRunner().invoke(app, ["list", "--json"]).stdout)

    assert [each["name"] for each in listed] == [*DEPLOYED_SCENARIOS, GAME_DAY, *SCENARIOS]
    for name in (*DEPLOYED_SCENARIOS, *SCENARIOS):
        shown = CliRunner().invoke(app, ["plan", name])
        assert (shown.exit_code, shown.stdout.startswith(f"{name}: ")) == (0, True)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_plan_names_each_step_with_its_undo_and_the_rollback(name: str) -> None:
    scenario = SCENARIOS[name]
    text = "\n".join(described(scenario))

    for step in scenario.steps:
        assert step.name in text
        back = getattr(step, "rollback", None)
        assert back is None or f"rolled back by: {back.name}" in text
    assert "no acknowledged payment is lost" in text
    assert text.index("Rollback") < text.index("Must show")


def test_a_plan_of_nothing_names_what_there_is() -> None:
    refused = CliRunner().invoke(app, ["plan", "earthquake"])

    assert refused.exit_code == 2
    assert "there is no scenario earthquake; choose one of parameter-divergence" in refused.stderr


@pytest.mark.parametrize("words", [["--env", "dev"], ["--env", "local"], ["--local"]])
def test_without_an_environment_the_check_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("shared.pulumi_cli.BUILT", tmp_path)
    refused = CliRunner().invoke(app, ["check", *words, "--endpoints", str(tmp_path / "endpoints.json")])

    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("Not started: ")
    assert ("make local-up" if words != ["--env", "dev"] else "Pulumi CLI is missing") in refused.stderr


@pytest.mark.parametrize("width", [60, 160])
def test_the_table_shows_every_finding_whole_and_what_to_do(width: int) -> None:
    found = deployment()
    answers = Answers(found, healthy.answers(found))
    answers.set("DescribeDBClusters", healthy.cluster(EngineVersion="16.11"), Place.SECONDARY)
    readiness = check_readiness(found, datetime.now(UTC), checks=(functions.none_running, database.versions_equal))
    console = Console(width=width)
    with console.capture() as captured:
        console.print(table(readiness))
    shown = " ".join(captured.get().split())

    for phrase in ("no failover or failback under way", "database versions equal", "eu-central-1: 16.11", "→ upgrade"):
        assert phrase in shown or width < 100, phrase
    assert max(len(line) for line in captured.get().splitlines()) <= width
    assert "…" not in captured.get().replace("account …", ""), "nothing is cut off"
