"""`overload` fails when load on payments starves health checks, and when the sentinel takes that for a lost region."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drill.engine.crowds import Crowds
from drill.model.scenario import Flood, WaitFor
from drill.scenarios.simulated import SCENARIOS
from shared.concurrency import DEFAULT_LIMIT, reservations
from shared.deployment_search import local
from shared.places import Place
from tests.drill.run_in_process import ran
from tests.drill.shared_environment import SharedEnvironment

NAME = "overload"
HEALTH, SENTINEL = "function-health-primary-dev", "function-sentinel-secondary-dev"


@pytest.fixture
def starved(environment: SharedEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the flood lasts, no execution is left for health checks of the primary region, as if they shared the pool
    of the payments. That is certain, where a pool that the flood fills most of the time is not."""
    flood: Callable[..., Any] = Crowds.flood

    async def flood_and_starve(crowds: Crowds, step: Flood) -> int:
        lambda_ = environment.deployment.client("lambda", Place.PRIMARY)
        lambda_.put_function_concurrency(FunctionName=HEALTH, ReservedConcurrentExecutions=0)
        try:
            rejected: int = await flood(crowds, replace(step, times=2.0))
        finally:
            reserved = reservations(DEFAULT_LIMIT)["health"]
            lambda_.put_function_concurrency(FunctionName=HEALTH, ReservedConcurrentExecutions=reserved)
        return rejected

    monkeypatch.setattr(Crowds, "flood", flood_and_starve)


@contextmanager
def overload_is_loss(file: Path) -> Iterator[None]:
    """The sentinel of the other region treats overload as a loss."""
    lambda_ = local(file=file).client("lambda", Place.SECONDARY)
    variables = lambda_.get_function_configuration(FunctionName=SENTINEL)["Environment"]["Variables"]
    lambda_.update_function_configuration(
        FunctionName=SENTINEL, Environment={"Variables": {**variables, "OVERLOAD_SECONDS": "0"}}
    )
    try:
        yield
    finally:
        lambda_.update_function_configuration(FunctionName=SENTINEL, Environment={"Variables": variables})


@pytest.mark.nightly
@pytest.mark.usefixtures("starved")
def test_health_checks_without_capacity_fail_the_run_and_fail_nothing_over(
    environment: SharedEnvironment, tmp_path: Path
) -> None:
    assert NAME in SCENARIOS

    ended = ran(NAME, environment, tmp_path)

    assert ended.status == 1, ended.printed
    missed = {check.name for check in ended.report.checks if not check.met}
    assert "overload is not mistaken for a lost region" in missed, ended.printed
    assert "no failover begins" not in missed, ended.printed
    assert "peer-overloaded" in {each.reason for each in ended.report.decisions}, "the sentinel did not have to hold"


def shorter(step: Any) -> Any:
    """A sabotaged service that does not come back, however long the run waits for it."""
    return replace(step, within_aws_seconds=10, within_seconds=2) if isinstance(step, WaitFor) else step


@pytest.mark.nightly
@pytest.mark.usefixtures("starved")
def test_a_sentinel_that_takes_overload_for_a_loss_fails_the_run(
    environment: SharedEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.expect_a_difference()  # the writer moves, and nobody moves it back
    found = SCENARIOS[NAME]
    monkeypatch.setitem(SCENARIOS, NAME, replace(found, rollback=tuple(map(shorter, found.rollback))))

    ended = ran(NAME, environment, tmp_path, during=overload_is_loss)

    assert ended.status in (1, 3), ended.printed
    missed = {check.name for check in ended.report.checks if not check.met}
    assert "no failover begins" in missed, ended.printed
