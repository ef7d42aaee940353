"""Scenarios that take AWS hours, in minutes: they pass, and fail when the regions' backlogs keep no more than the last
payments. `make rehearse-hours` rehearses them as they are.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from drill.model.context import DrillContext
from drill.model.scenario import Load, Scenario, WaitFor
from drill.scenarios.simulated import LONG, SCENARIOS
from drill.scenarios.simulated.hours import CATCHES_UP, HOUR
from shared.deployment_search import local
from shared.naming import Names
from shared.places import Place
from tests.drill.run_in_process import ran
from tests.drill.shared_environment import SharedEnvironment

IN_HOURS = [
    name
    for name, each in LONG.items()
    if any(isinstance(step, Load) and step.least_aws_seconds >= HOUR for step in each.method)
]
SPEED = 4.0  # nothing here is judged by its time
MINUTES = 8 * 60.0
"""AWS seconds in place of hours: longer than a ledger gives a batch back to its stream."""
KEPT = 60.0
"""AWS seconds of the payments that a sabotaged backlog keeps, in place of an hour."""


@dataclass(frozen=True)
class Forget:
    """Delete all but the last batches from both backlogs, as if a replay began a fixed time before its request."""

    place: ClassVar[None] = None
    rollback: ClassVar[None] = None
    name: ClassVar[str] = "delete old batches from the backlogs"

    async def do(self, ctx: DrillContext) -> str:
        found = [await asyncio.to_thread(self._forget, ctx, place) for place in Place]
        assert sum(found), "the backlogs hold nothing that is old"
        return f"{sum(found)} batches"

    @staticmethod
    def _forget(ctx: DrillContext, place: Place) -> int:
        client, table = ctx.client("dynamodb", place), Names(ctx.deployment.environment).backlog_table(place)
        since = (datetime.now(UTC) - timedelta(seconds=KEPT / ctx.deployment.speed)).isoformat()
        try:
            items = client.scan(TableName=table, ConsistentRead=True)["Items"]
        except (BotoCoreError, ClientError):
            return 0  # the region is lost
        old = [item for item in items if item["sk"]["S"] < since]
        for item in old:
            client.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})
        return len(old)


def in_minutes(scenario: Scenario, *after: Any) -> Scenario:
    """The scenario with minutes in place of hours, and with further steps after them."""
    method: list[Any] = []
    for step in scenario.method:
        if isinstance(step, Load) and step.least_aws_seconds >= HOUR:
            method += [replace(step, least_aws_seconds=MINUTES), *after]
        else:
            method.append(step)
    assert len(method) == len(scenario.method) + len(after), "there is one step that takes hours"
    return replace(scenario, method=tuple(method))


@contextmanager
def without_announcer(file: Path) -> Iterator[None]:
    """The announcers of both regions fail."""
    deployment, handlers = local(file=file), dict[Place, str]()

    def set_handler(place: Place, handler: str) -> None:
        name = deployment.cell(place).compute.functions["announcer"].name
        deployment.client("lambda", place).update_function_configuration(FunctionName=name, Handler=handler)

    for place in Place:
        name = deployment.cell(place).compute.functions["announcer"].name
        handlers[place] = deployment.client("lambda", place).get_function_configuration(FunctionName=name)["Handler"]
        set_handler(place, "handler.not_there")
    try:
        yield
    finally:
        for place, handler in handlers.items():
            set_handler(place, handler)


@pytest.mark.nightly
@pytest.mark.parametrize("name", IN_HOURS)
def test_nothing_is_missing_however_long_nobody_posted(
    name: str, environment: SharedEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SCENARIOS, name, in_minutes(SCENARIOS[name]))

    ended = ran(name, environment, tmp_path)

    assert ended.report.verdict == "passed", ended.printed


@pytest.mark.nightly
@pytest.mark.parametrize("name", [name for name in IN_HOURS if name != "events-outage"])
def test_a_backlog_that_forgets_fails_the_run(
    name: str, environment: SharedEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.expect_a_difference()  # payments that are not in the ledger
    scenario = in_minutes(SCENARIOS[name], Forget())
    hasty = [
        replace(step, within_aws_seconds=20, within_seconds=20) if step == CATCHES_UP else step
        for step in scenario.method
    ]
    monkeypatch.setitem(SCENARIOS, name, replace(scenario, method=tuple(hasty)))

    ended = ran(name, environment, tmp_path)

    assert ended.report.verdict == "failed", ended.printed
    missed = {check.name for check in ended.report.checks if not check.met}
    # A region that returns may still have what the failover lacked, in its own backlog.
    assert missed & {"every payment is in the ledger of both members", CATCHES_UP.name}, ended.printed


@pytest.mark.nightly
def test_an_announcer_that_never_goes_on_fails_the_run(
    environment: SharedEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.expect_a_difference()  # rows that are not announced
    scenario = in_minutes(SCENARIOS["events-outage"])
    hasty = [
        replace(step, within_aws_seconds=20, within_seconds=20) if isinstance(step, WaitFor) else step
        for step in scenario.rollback
    ]
    monkeypatch.setitem(SCENARIOS, scenario.name, replace(scenario, rollback=tuple(hasty)))

    ended = ran(scenario.name, environment, tmp_path, during=without_announcer)

    assert ended.report.verdict == "failed", ended.printed
    missed = {check.name for check in ended.report.checks if not check.met}
    assert "everything is announced" in missed, ended.printed
    assert "every payment is in the ledger of both members" not in missed, ended.printed
