"""Every scenario rehearsed on the embedded AWS, as `make rehearse-all` does: the real stacks, functions, state machines
and databases, one environment for all."""

import asyncio
from contextlib import nullcontext
from pathlib import Path

import pytest

from drill.rehearse_all import Outcome, rehearse_all
from drill.scenarios import SCENARIOS
from drill.settings import RehearsalSettings

SPEED, RATE = 6.0, 10.0  # as `make rehearse`: at more a busy machine's own time is what is measured


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """By scenario. They share an environment, so they take place in one go."""
    output: Path = tmp_path_factory.mktemp("rehearsals")
    chosen = [
        RehearsalSettings.checked(
            scenario=name, environment="dev", speed=SPEED, rate=RATE, duration=None, seed=number, kind="reset",
            output=output,
        )
        for number, name in enumerate(SCENARIOS, start=1)
    ]  # fmt: skip
    found = asyncio.run(rehearse_all(chosen, lambda _progress: nullcontext()))
    return {outcome.scenario: outcome for outcome in found}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_system_shows_what_the_scenario_asks_of_it(outcomes: dict[str, Outcome], name: str) -> None:
    outcome = outcomes[name]

    assert outcome.report is not None, outcome.why
    missed = [f"{check.name}: {check.measured}" for check in outcome.report.checks if not check.met]
    assert not missed, f"after {outcome.seconds:.0f} s"
    assert outcome.report.verdict == "passed"


def test_the_rows_that_a_promotion_loses_are_counted_and_all_come_back(outcomes: dict[str, Outcome]) -> None:
    report = outcomes["replication-cut-then-loss"].report
    assert report is not None
    assert report.database is not None
    loss = report.database.promotion_loss

    assert loss is not None
    assert loss.lost == loss.brought_back
    assert loss.lost > RATE, "30 s of lag are more than a second here"


def test_the_sentinels_reasons_are_in_the_report(outcomes: dict[str, Outcome]) -> None:
    for name in ("flapping", "partition", "false-alarm"):
        report = outcomes[name].report
        assert report is not None
        assert {each.verdict for each in report.decisions} == {"hold"}
