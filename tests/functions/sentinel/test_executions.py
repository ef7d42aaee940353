"""How earlier executions ended, by Step Functions. moto ends a run only by stopping it, so its answers are given."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.session import Session
from botocore.stub import Stubber
from sentinel.decision import Runs
from sentinel.executions import StateMachines

from common.clock import Pace
from tests.functions.harness import EAST_2

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
MACHINE = f"arn:aws:states:{EAST_2}:000000000000:stateMachine:failover"
LAST = f"{MACHINE.replace(':stateMachine:', ':execution:')}:failover-us-east-1-0-0-0"


@pytest.fixture
def stub(aws_session: Session) -> Iterator[tuple[StateMachines, Stubber]]:
    """Nothing runs at the moment."""
    client: Any = aws_session.create_client(
        "stepfunctions", region_name=EAST_2, aws_access_key_id="any", aws_secret_access_key="any"
    )
    machines = StateMachines(
        client,
        failover_arn=MACHINE,
        failback_arn=MACHINE.replace("failover", "failback"),
        attempts=3,
        pace=Pace(now=lambda: NOW),
    )
    with Stubber(client) as stubber:
        for _ in range(2):
            stubber.add_response("list_executions", {"executions": []})
        yield machines, stubber
        stubber.assert_no_pending_responses()


def ended(status: str, error: str) -> dict[str, Any]:
    moment = NOW - timedelta(seconds=90)
    known = {"executionArn": LAST, "stateMachineArn": MACHINE, "status": status, "startDate": moment}
    return {**known, "stopDate": moment, **({"error": error} if error else {})}


@pytest.mark.parametrize(
    ("status", "error", "found"),
    [
        ("SUCCEEDED", "", Runs()),
        ("FAILED", "PaymentNotPosted", Runs(unfinished=True, seconds_since_attempt=90.0)),
        ("TIMED_OUT", "", Runs(unfinished=True, seconds_since_attempt=90.0)),
        ("FAILED", "Declined", Runs(unfinished=True, declined=True, seconds_since_attempt=90.0)),
    ],
)
def test_how_the_run_before_ended_is_known(
    stub: tuple[StateMachines, Stubber], status: str, error: str, found: Runs
) -> None:
    machines, stubber = stub
    stubber.add_response("describe_execution", ended(status, error), {"executionArn": LAST})
    stubber.add_client_error("describe_execution", "ExecutionDoesNotExist")

    assert machines.runs("failover-us-east-1-1-1", LAST) == found


def test_a_failback_is_no_failover_that_could_be_finished(stub: tuple[StateMachines, Stubber]) -> None:
    machines, stubber = stub
    stubber.add_client_error("describe_execution", "ExecutionDoesNotExist")

    assert machines.runs("failover-us-east-1-1-1", LAST.replace("failover", "failback", 1)) == Runs()
