"""The end of earlier executions, by Step Functions. moto ends a run only by stopping it, so a fake keeps them."""

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from sentinel.decision import Runs
from sentinel.executions import RunsUnavailable, StateMachines

from common.clock import Pace
from tests.functions.harness import EAST_2

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
MACHINE = f"arn:aws:states:{EAST_2}:000000000000:stateMachine:failover"
EXECUTIONS = MACHINE.replace(":stateMachine:", ":execution:")
LAST = f"{EXECUTIONS}:failover-us-east-1-0-0-0"
STEM = "failover-us-east-1-1-1"


class States:
    """Step Functions with executions that have ended a minute and a half ago, and nothing that runs."""

    def __init__(self) -> None:
        self.ended: dict[str, dict[str, Any]] = {}
        self.calls = 0

    def add(self, arn: str, status: str, *, error: str = "", **given: Any) -> None:
        moment = NOW - timedelta(seconds=90)
        name = arn.rpartition(":")[2]
        self.ended[arn] = {"name": name, "status": status, "stopDate": moment, "input": json.dumps(given)}
        if error:
            self.ended[arn]["error"] = error

    def attempts(self, *statuses: str) -> None:
        """Executions of the stem, with the inputs that the sentinel gives them."""
        failed = 0
        for number, status in enumerate(statuses):
            self.add(f"{EXECUTIONS}:{STEM}-{number}", status, failed_runs=failed)
            failed += status != "SUCCEEDED"

    def list_executions(self, **_asked: Any) -> dict[str, Any]:
        return {"executions": []}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        self.calls += 1
        if executionArn not in self.ended:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist"}}, "DescribeExecution")
        return self.ended[executionArn]

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:
        assert stateMachineArn == MACHINE
        self.add(f"{EXECUTIONS}:{name}", "FAILED", **json.loads(input))


@pytest.fixture
def states() -> States:
    return States()


def machines(states: States) -> StateMachines:
    return StateMachines(
        states,
        failover_arn=MACHINE,
        failback_arn=MACHINE.replace("failover", "failback"),
        pace=Pace(now=lambda: NOW),
    )


@pytest.mark.parametrize(
    ("status", "error", "found"),
    [
        ("SUCCEEDED", "", Runs()),
        ("FAILED", "PaymentNotPosted", Runs(unfinished=True, failed=1, seconds_since_attempt=90.0)),
        ("TIMED_OUT", "", Runs(unfinished=True, failed=1, seconds_since_attempt=90.0)),
        ("FAILED", "Declined", Runs(unfinished=True, declined=True, failed=1, seconds_since_attempt=90.0)),
    ],
)
def test_how_the_run_before_ended_is_known(states: States, status: str, error: str, found: Runs) -> None:
    states.add(LAST, status, error=error, region="us-east-1")

    assert machines(states).runs(STEM, LAST) == found


def test_a_failback_is_no_failover_that_could_be_finished(states: States) -> None:
    states.add(back := LAST.replace("failover", "failback", 1), "FAILED")

    assert machines(states).runs(STEM, back) == Runs()


@pytest.mark.parametrize(
    ("statuses", "failed"),
    [
        (["FAILED"], 1),
        (["FAILED", "ABORTED", "TIMED_OUT"], 3),
        (["SUCCEEDED"], 0),
        (["SUCCEEDED", "SUCCEEDED", "FAILED", "SUCCEEDED"], 1),
    ],
)
def test_runs_that_were_held_do_not_count_as_failed(states: States, statuses: list[str], failed: int) -> None:
    states.attempts(*statuses)

    found = machines(states).runs(STEM, None)

    assert (found.attempts, found.failed) == (len(statuses), failed)


def test_the_count_goes_on_when_a_failed_run_has_changed_the_epochs(states: States) -> None:
    states.add(LAST, "FAILED", failed_runs=2)
    sentinel = machines(states)

    first = sentinel.runs(STEM, LAST)
    name = sentinel.start(STEM, first, {"region": "us-east-1"})
    second = sentinel.runs(STEM, f"{EXECUTIONS}:{name}")

    assert (name, first.failed) == (f"{STEM}-0", 3)
    assert (second.attempts, second.failed) == (1, 4)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 96, 97, 1000])
def test_the_last_of_many_runs_is_found_in_few_calls(states: States, count: int) -> None:
    states.attempts(*["FAILED"] * count)
    sentinel = machines(states)

    found = sentinel.runs(STEM, None)
    first, states.calls = states.calls, 0
    again = sentinel.runs(STEM, None)

    assert found.attempts == found.failed == count
    assert again == found
    assert first <= 2 * math.log2(count + 2) + 2, "of a new process"
    assert states.calls <= 2, "of a process that has seen them"


def test_a_run_that_another_sentinel_started_meanwhile_is_found(states: States) -> None:
    states.attempts("FAILED")
    sentinel = machines(states)
    sentinel.runs(STEM, None)

    states.attempts(*["FAILED"] * 7)

    assert sentinel.runs(STEM, None).attempts == 7


def test_step_functions_that_do_not_answer_are_named(states: States, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(**_asked: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://states")

    monkeypatch.setattr(states, "list_executions", silent)

    with pytest.raises(RunsUnavailable, match="EndpointConnectionError"):
        machines(states).runs(STEM, None)
