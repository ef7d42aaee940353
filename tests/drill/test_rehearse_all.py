"""Several rehearsals in a row, on the fake."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from drill.cli.summary import outcome_table
from drill.engine.rehearse import Outcome, rehearse_all
from drill.model.faults import OutageMode
from drill.model.scenario import Scenario, WaitFor
from drill.observe.progress import Progress
from drill.probes.traffic import ServedBy
from drill.scenarios.settings import RehearsalSettings
from drill.verdict.verdict import INCONCLUSIVE
from shared.places import Place
from tests.drill.repeating import give_up
from tests.drill.with_fake import SHORT, fake_command, with_ample_capacity

SPEED = 20.0
HOPELESS = replace(
    SHORT,
    name="hopeless",
    hypothesis=WaitFor(
        on_timeout="rollback",
        name="steady state",
        until=(ServedBy(Place.SECONDARY),),
        within_aws_seconds=0,
        within_seconds=0.3,
    ),
)


def rehearsed(output: Path, *scenarios: Scenario, sabotage: str = "none") -> tuple[list[Outcome], list[str]]:
    """The outcome of each, and the titles of all that was shown meanwhile."""
    shown: list[str] = []

    @contextmanager
    def view(progress: Progress) -> Iterator[None]:
        shown.append(progress.title)
        yield

    chosen = [
        RehearsalSettings(
            scenario=scenario, environment="test", speed=speed, given_speed=speed, rate=10, given_rate=10,
            duration=None, seed=number, outage_mode=OutageMode.ERROR, output=output,
        )
        for number, scenario in enumerate(scenarios, start=1)
        for speed in [min(SPEED, scenario.fastest)]
    ]  # fmt: skip
    command = fake_command(sabotage, speed=SPEED, directory=output / "local")
    with with_ample_capacity():
        return asyncio.run(rehearse_all(chosen, view, command=command)), shown


def table(outcomes: list[Outcome]) -> str:
    console = Console(width=200, color_system=None)
    with console.capture() as captured:
        console.print(outcome_table(outcomes, Path("build")))
    return captured.get()


@pytest.mark.stack  # its rehearsals measure this machine
def test_scenarios_share_an_environment_until_one_leaves_it_in_disorder(tmp_path: Path) -> None:
    first, second = replace(SHORT, name="first"), replace(SHORT, name="second")

    outcomes, shown = rehearsed(tmp_path, first, second, HOPELESS, replace(SHORT, name="third"))

    assert [(outcome.scenario, outcome.status) for outcome in outcomes] == [
        ("first", 0),
        ("second", 0),
        ("hopeless", 2),
        ("third", 0),
    ]
    assert shown == ["start", SHORT.title, SHORT.title, SHORT.title, "start", SHORT.title]
    assert "did not reach a steady state" in outcomes[2].why
    for outcome in outcomes[:2]:
        assert outcome.report is not None
        payments = outcome.report.payments
        assert (payments.unconfirmed, payments.in_journal) == (0, payments.acknowledged), "one run's are not another's"
    assert {path.parent.name for path in tmp_path.rglob("report.json")} == {"first", "second", "third"}
    printed = table(outcomes)
    assert "3 of 4 scenarios met every expectation" in printed
    assert "no verdict" in printed


@pytest.mark.stack  # its rehearsals measure this machine
def test_a_scenario_with_a_speed_of_its_own_gets_an_environment_of_its_own(tmp_path: Path) -> None:
    outcomes, shown = rehearsed(tmp_path, replace(HOPELESS, name="slow", fastest=10.0), HOPELESS)

    if outcomes[1].status == INCONCLUSIVE:
        give_up(outcomes[1].why)
    assert [outcome.status for outcome in outcomes] == [2, 2]
    assert "at speed 20" in outcomes[0].why, "the fake has one speed, and the drill refuses another one"
    assert shown == ["start", "start", HOPELESS.title]


def test_an_environment_that_never_starts_is_each_scenarios_own_failure(tmp_path: Path) -> None:
    outcomes, _ = rehearsed(tmp_path, SHORT, HOPELESS, sabotage="never-up")

    assert [outcome.status for outcome in outcomes] == [2, 2]
    assert all("the fake refuses to start" in outcome.why for outcome in outcomes)
