"""Scenarios in which both regions are lost, one after the other: they pass, and fail without what leaves a survivor."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drill.actions.regions import StartFailover
from drill.model.scenario import Load, Scenario, WaitFor
from drill.scenarios.simulated import SCENARIOS
from shared.deployment_search import local
from shared.places import Place
from tests.drill.run_in_process import ran
from tests.drill.shared_environment import SharedEnvironment

AFTER_FAILOVER, AFTER_BLIP = "loss-after-failover", "secondary-blip-then-primary-loss"


def at_this_speed(name: str) -> Scenario:
    """The scenario at the speed of the shared environment."""
    return replace(SCENARIOS[name], speed=None, rate=None)


@pytest.mark.nightly
@pytest.mark.parametrize("name", [AFTER_FAILOVER, AFTER_BLIP])
def test_the_second_loss_is_survived(
    name: str, environment: SharedEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SCENARIOS, name, at_this_speed(name))

    ended = ran(name, environment, tmp_path)

    assert ended.report.verdict == "passed", ended.printed


@contextmanager
def no_return(file: Path) -> Iterator[None]:
    """The sentinels leave a fenced region fenced."""
    deployment = local(file=file)

    def set_wait(seconds: str) -> None:
        for place in Place:
            client, name = deployment.client("lambda", place), deployment.cell(place).compute.functions["sentinel"].name
            variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            client.update_function_configuration(
                FunctionName=name, Environment={"Variables": {**variables, "RETURN_SECONDS": seconds}}
            )

    set_wait("0")
    try:
        yield
    finally:
        set_wait("600")


def without_force(step: Any) -> Any:
    match step:
        case StartFailover():
            return replace(step, forced=False)
        case WaitFor(on_timeout="fail") if "forced" in step.name or "second failover" in step.name:
            return replace(step, within_aws_seconds=60, within_seconds=10)
        case WaitFor() if "by itself" in step.name:
            return replace(step, within_aws_seconds=700, within_seconds=10)
        case Load():
            return replace(step, least_aws_seconds=min(step.least_aws_seconds, 30))
    return step


@pytest.mark.nightly
@pytest.mark.parametrize("name", [AFTER_FAILOVER, AFTER_BLIP])
def test_without_a_survivor_the_run_fails(
    name: str, environment: SharedEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.expect_a_difference()
    found = at_this_speed(name)
    monkeypatch.setitem(SCENARIOS, name, replace(found, method=tuple(map(without_force, found.method))))

    ended = ran(name, environment, tmp_path, during=no_return)

    assert ended.status in (1, 3), ended.printed
    missed = {check.name for report in ended.reports.values() for check in report.checks if not check.met}
    # Without a report, the rollback found no region to fail back from.
    assert "exactly 2 failovers take place, and succeed" in missed or "is not back" in ended.printed, ended.printed
