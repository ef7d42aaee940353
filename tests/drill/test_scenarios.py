"""Every scenario rehearsed on the embedded AWS, as `make rehearse-all` does: the real stacks, functions, state machines
and databases, one environment for all. Those that take hours are in `tests/drill/test_hours.py`."""

import asyncio
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType

import pytest

from drill.engine.rehearse import Outcome, rehearse_all
from drill.report.model import Report
from drill.scenarios.settings import RehearsalSettings
from drill.scenarios.simulated import LONG, SCENARIOS
from tests.drill.repeating import judged
from tests.tiers import starts

HELD = "false-alarm"
"""`make test` rehearses this one. CI's `make rehearse` is `region-loss`, and the nightly tests are the others."""


@pytest.fixture(scope="module")
@starts("stack")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """By scenario, those that the selected tests ask for. They share an environment, so they take place in one go."""
    output: Path = tmp_path_factory.mktemp("rehearsals")
    asked = {name for item in request.session.items if (name := _scenario(item, request.module))}
    chosen = [
        RehearsalSettings.checked(
            scenario=name, environment="dev", speed=None, rate=None, duration=None, seed=number, outage_mode="reset",
            output=output,
        )
        for number, name in enumerate(SCENARIOS, start=1)
        if name in asked
    ]  # fmt: skip
    found = asyncio.run(rehearse_all(chosen, lambda _progress: nullcontext()))
    return {outcome.scenario: outcome for outcome in found}


def _scenario(item: pytest.Item, module: ModuleType) -> str | None:
    """The one that the test is about."""
    call = getattr(item, "callspec", None)
    return str(call.params["name"]) if call and getattr(item, "module", None) is module else None


@pytest.mark.parametrize(
    "name",
    [pytest.param(each, marks=[] if each == HELD else [pytest.mark.nightly]) for each in SCENARIOS if each not in LONG],
)
def test_the_system_shows_what_the_scenario_asks_of_it(outcomes: dict[str, Outcome], name: str) -> None:
    report = judged(outcomes[name])

    missed = [f"{check.name}: {check.measured}" for check in report.checks if not check.met]
    assert not missed, circumstances(report)
    assert report.verdict == "passed"


def circumstances(report: Report) -> str:
    """Context for the reader of a failed test: rate, speed, and the duration of each step of each run."""
    runs = [
        f"{run.machine} in {run.region} {run.status}, in AWS s: "
        + ", ".join(f"{step.name} {step.seconds * report.speed:.0f}" for step in run.steps)
        for run in report.workflows
    ]
    machine = f"{report.rate:g}/s at speed {report.speed:g}; {report.why}; starved {report.resources.starved_share:.0%}"
    return "\n".join([machine, *runs, *report.trouble])


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["replication-cut-then-loss"])
def test_the_rows_that_a_promotion_loses_are_counted_and_all_come_back(outcomes: dict[str, Outcome], name: str) -> None:
    report = judged(outcomes[name])
    assert report.database is not None
    loss = report.database.promotion_loss

    assert loss is not None
    assert loss.lost == loss.brought_back
    assert loss.lost > report.rate, "30 s of lag are more than a second here"


@pytest.mark.parametrize(
    "name", [HELD, *(pytest.param(each, marks=pytest.mark.nightly) for each in ("flapping", "partition"))]
)
def test_the_sentinels_reasons_are_in_the_report(outcomes: dict[str, Outcome], name: str) -> None:
    assert {each.verdict for each in judged(outcomes[name]).decisions} == {"hold"}
