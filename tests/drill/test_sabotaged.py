"""Every scenario with faults fails when the system does not do its part, so that a pass means something.

Where the system has to act, nobody calls its sentinels; where it has to hold, a payment that a client was told of is
taken out of both journals. One deployment serves all.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drill import verify
from drill.actions import Surroundings
from drill.actions_workflows import StartFailback, StartFailover
from drill.objectives import TakeOver
from drill.scenario import Await, Send, Settle
from drill.scenarios import SCENARIOS
from drill.site import Site
from shared.deployment import Deployment
from shared.deployment_search import local
from shared.places import Place
from tests.drill.running_environment import SPEED, deployed, ran

ACTING = [name for name, each in SCENARIOS.items() if isinstance(each.objectives.take_over, TakeOver)]
HOLDING = [name for name in SCENARIOS if name not in ACTING]
_RUN_AWS_SECONDS = 60.0  # a sentinel's run goes on for up to 55 s after the last call
_SCHEDULE = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target", "KmsKeyArn", "Description")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with deployed(tmp_path_factory.mktemp("deployed")) as found:
        yield found


def set_schedules(deployment: Deployment, state: str) -> None:
    for place in Place:
        scheduler = deployment.client("scheduler", place)
        for listed in scheduler.list_schedules()["Schedules"]:
            if "sentinel" in listed["Name"]:
                found = scheduler.get_schedule(Name=listed["Name"])
                scheduler.update_schedule(**{key: found[key] for key in _SCHEDULE if key in found}, State=state)


@contextmanager
def nobody_watches(file: Path) -> Iterator[None]:
    deployment = local(file=file)
    set_schedules(deployment, "DISABLED")
    time.sleep(_RUN_AWS_SECONDS / SPEED)
    try:
        yield
    finally:
        set_schedules(deployment, "ENABLED")


def shortened(name: str) -> Any:
    """The same scenario with shorter waits, since what is sabotaged never comes; nor is there anything to fail back."""

    def shorter(step: Any) -> Any:
        match step:
            case Await():
                return replace(step, within_aws_seconds=20, within_seconds=2)
            case Settle() if step is not SCENARIOS[name].hypothesis:
                return replace(step, within_aws_seconds=20, within_seconds=4)
            case Send():
                return replace(step, least_aws_seconds=min(step.least_aws_seconds, 20), least_seconds=2)
        return step

    found = SCENARIOS[name]
    return replace(found, method=tuple(map(shorter, found.method)), way_back=tuple(map(shorter, found.way_back)))


@pytest.mark.parametrize("name", ACTING)
def test_a_loss_that_nobody_acts_on_fails_the_run(
    name: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def does_nothing(_self: Any, _around: Surroundings) -> str:
        return "sabotaged"

    monkeypatch.setitem(SCENARIOS, name, shortened(name))
    monkeypatch.setattr(StartFailover, "do", does_nothing)
    monkeypatch.setattr(StartFailback, "do", does_nothing)

    with nobody_watches(file):
        ended = ran(name, file, tmp_path)

    assert ended.report.verdict == "failed", ended.said
    assert ended.status in (1, 3), "1: an objective was missed; 3: what only a failback restores was not restored"
    missed = {check.name for check in ended.report.checks if not check.met}
    assert "one failover takes place, and ends well" in missed, ended.said


@pytest.mark.parametrize("name", HOLDING)
def test_a_payment_that_vanishes_fails_the_run(
    name: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, taken, site = verify.read_journal, set[str](), Site.of(local(file=file))

    def robbed(dynamodb: Any, table: str) -> dict[str, verify.Entry]:
        if not taken:
            entries = [each for each in read(dynamodb, table).values() if each.reference.startswith(f"{name}-")]
            taken.add(min(each.payment_id for each in entries))
            for place in Place:
                for payment_id in taken:
                    key = {"pk": {"S": f"payment#{payment_id}"}}
                    site.client("dynamodb", place).delete_item(TableName=table, Key=key)
        return read(dynamodb, table)

    monkeypatch.setattr(verify, "read_journal", robbed)

    ended = ran(name, file, tmp_path)

    assert ended.status == 1, ended.said
    assert str(ended.report.first_broken).startswith("no acknowledged payment is lost: expected 0 lost"), ended.said
