"""Every scenario with faults fails when the system does not do its part, so that a pass means something.

Where the system has to act, its sentinels are not invoked; where it has to do nothing, an acknowledged payment is
removed from both journals. One deployment serves all tests that leave it unchanged.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from drill.actions.regions import StartFailback, StartFailover
from drill.model.context import DrillContext, machine_arn
from drill.model.objectives import TakeOver
from drill.model.scenario import Load, WaitFor
from drill.observe import journal
from drill.scenarios.simulated import LONG, SCENARIOS
from shared.deployment import Deployment
from shared.deployment_search import local
from shared.local_endpoints import Endpoints
from shared.places import Place
from tests.drill.run_in_process import ran
from tests.drill.shared_environment import SharedEnvironment
from tests.local.embedded import eventually

SHORT = {name: each for name, each in SCENARIOS.items() if name not in LONG}  # the others: test_hours.py
ACTING = [name for name, each in SHORT.items() if isinstance(each.objectives.take_over, TakeOver)]
HOLDING = [name for name in SHORT if name not in ACTING]
_SCHEDULE = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target", "KmsKeyArn", "Description")


def set_schedules(deployment: Deployment, state: str) -> None:
    for place in Place:
        scheduler = deployment.client("scheduler", place)
        for listed in scheduler.list_schedules()["Schedules"]:
            if "sentinel" in listed["Name"]:
                found = scheduler.get_schedule(Name=listed["Name"])
                scheduler.update_schedule(**{key: found[key] for key in _SCHEDULE if key in found}, State=state)


@contextmanager
def nobody_watches(file: Path) -> Iterator[None]:
    """No sentinel is called, and none that was called before goes on: the workers of all functions are new."""
    endpoints, deployment = Endpoints.read(file), local(file=file)
    set_schedules(deployment, "DISABLED")
    before = workers(endpoints.pid)
    # Setting the speed ends what is under way, at the speed it has too.
    speed = {"speed": endpoints.speed}
    httpx.post(f"{endpoints.control}/clock", json=speed, trust_env=False, timeout=30).raise_for_status()
    assert eventually(lambda: all(map(has_ended, before))), "a sentinel goes on"
    try:
        yield
    finally:
        set_schedules(deployment, "ENABLED")


def workers(up: int) -> list[psutil.Process]:
    """Lambda's execution environments below the process `up`: each is a fork of the fork server."""
    forked = [each for each in psutil.Process(up).children(recursive=True) if _is_of_the_fork_server(each)]
    return [each for each in forked if each.ppid() in {parent.pid for parent in forked}]


def _is_of_the_fork_server(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return "localaws.services.lambda_.fork_server" in process.cmdline()
    return False


def has_ended(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


def shortened(name: str) -> Any:
    """The same scenario with shorter waits, since what is sabotaged never comes; nor is there anything to fail back."""

    def shorter(step: Any) -> Any:
        match step:
            case WaitFor(on_timeout="fail"):
                return replace(step, within_aws_seconds=20, within_seconds=2)
            case WaitFor() if step is not SCENARIOS[name].hypothesis:
                return replace(step, within_aws_seconds=20, within_seconds=4)
            case Load():
                return replace(step, least_aws_seconds=min(step.least_aws_seconds, 20), least_seconds=2)
        return step

    found = SCENARIOS[name]
    return replace(found, method=tuple(map(shorter, found.method)), rollback=tuple(map(shorter, found.rollback)))


@pytest.mark.nightly
@pytest.mark.parametrize("name", ACTING)
def test_a_loss_that_nobody_acts_on_fails_the_run(
    name: str, environment: SharedEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def does_nothing(_self: Any, _ctx: DrillContext) -> str:
        return "sabotaged"

    monkeypatch.setitem(SCENARIOS, name, shortened(name))
    monkeypatch.setattr(StartFailover, "do", does_nothing)
    monkeypatch.setattr(StartFailback, "do", does_nothing)

    environment.expect_a_difference()  # nobody undoes what only a failback would

    ended = ran(name, environment, tmp_path, during=nobody_watches)

    assert not ended.report.decisions, "a sentinel was at work"
    assert ended.report.verdict == "failed", ended.printed
    assert ended.status in (1, 3), "1: an objective was missed; 3: what only a failback restores was not restored"
    missed = {check.name for check in ended.report.checks if not check.met}
    assert "exactly one failover takes place, and succeeds" in missed, ended.printed


@contextmanager
def always_promotes(file: Path) -> Iterator[None]:
    """The secondary region's failover does not try a switchover."""
    deployment = local(file=file)
    states = deployment.client("stepfunctions", Place.SECONDARY)
    arn = machine_arn(deployment, "failover", Place.SECONDARY)
    definition = states.describe_state_machine(stateMachineArn=arn)["definition"]
    changed = json.loads(definition)
    assert changed["States"]["ChooseWriterChange"]["Default"] == "TrySwitchover"
    changed["States"]["ChooseWriterChange"]["Default"] = "Promote"
    states.update_state_machine(stateMachineArn=arn, definition=json.dumps(changed))
    try:
        yield
    finally:
        states.update_state_machine(stateMachineArn=arn, definition=definition)


@pytest.mark.nightly
def test_a_promotion_where_a_switchover_loses_nothing_fails_the_run(
    environment: SharedEnvironment, tmp_path: Path
) -> None:
    ended = ran("journal-outage", environment, tmp_path, during=always_promotes)

    assert ended.status == 1, ended.printed
    assert str(ended.report.first_broken).startswith(
        "the database is switched over, and loses no row: expected switchover, 0 rows lost, found promotion"
    ), ended.printed


@pytest.mark.nightly
@pytest.mark.parametrize("name", HOLDING)
def test_a_payment_that_vanishes_fails_the_run(
    name: str, environment: SharedEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, robbed_of_one = journal.read_journal, set[Path]()

    def robbed(dynamodb: Any, table: str) -> dict[str, journal.Entry]:
        if environment.file not in robbed_of_one:
            robbed_of_one.add(environment.file)
            entries = [each for each in read(dynamodb, table).values() if each.reference.startswith(f"{name}-")]
            key = {"pk": {"S": f"payment#{min(each.payment_id for each in entries)}"}}
            for place in Place:
                environment.deployment.client("dynamodb", place).delete_item(TableName=table, Key=key)
        return read(dynamodb, table)

    monkeypatch.setattr(journal, "read_journal", robbed)

    ended = ran(name, environment, tmp_path)

    assert ended.status == 1, ended.printed
    assert str(ended.report.first_broken).startswith("no acknowledged payment is lost: expected 0 lost"), ended.printed
