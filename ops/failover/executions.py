"""A run of one of the state machines: started, found, and followed step by step. Asks Step Functions of one region
only, the one that the machine is in."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops.cli.errors import CouldNotStart
from ops.environment.search import Environment
from shared.places import Place

STEPS = {
    "CheckPreconditions": "checks the preconditions",
    "Preflight": "checks that both regions are healthy and that the reader is close behind",
    "Fence": "fences the region, so that it stays out of service until a failback",
    "WaitForApproval": "waits for a person's approval of the database change",
    "Promote": "promotes this region's database; transactions that were not replicated are replayed from the journal",
    "Switch": "switches the database writer over, without data loss",
    "DescribeWriter": "waits until the new writer accepts writes",
    "Publish": "publishes the writer's region to all functions",
    "Unfence": "removes the fence; traffic returns once health checks pass",
    "Replay": "replays payments that are in the journal and not in the ledger",
    "VerifyPayment": "verifies a synthetic payment end to end",
    "Measure": "records the recovery times",
    "NotifySuccess": "notifies the alarm topic",
    "NotifyFailure": "notifies the alarm topic of the failure",
}
"""Progress lines, printed when a state is entered for the first time; states without one print nothing."""
_PAUSE = 1.0


@dataclass(frozen=True, kw_only=True)
class Step:
    name: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class End:
    """How a run ended: SUCCEEDED, FAILED, TIMED_OUT or ABORTED, and its document."""

    status: str
    document: dict[str, Any]
    error: str = ""
    cause: str = ""

    @property
    def held(self) -> str | None:
        """Why the guard let it do nothing; None if it went on."""
        guard = self.document.get("guard", {})
        return None if guard.get("go", True) else str(guard.get("why", ""))


def machine_arn(environment: Environment, kind: str, place: Place) -> str:
    """`kind`: failover or failback; `place`: where it runs."""
    name = environment.names.regional(kind, place)
    return f"arn:aws:states:{environment.region(place)}:{environment.account}:stateMachine:{name}"


def start(client: Any, machine: str, name: str, request: dict[str, Any]) -> str:
    """The run's ARN. Raises CouldNotStart if there is no such machine."""
    try:
        started = client.start_execution(stateMachineArn=machine, name=name, input=json.dumps(request))
    except client.exceptions.StateMachineDoesNotExist as error:
        raise CouldNotStart(f"{machine.rpartition(':')[2]} is not deployed; deploy the regions again") from error
    return str(started["executionArn"])


def running(client: Any, machine: str) -> str | None:
    """The ARN of the machine's run that goes on now."""
    try:
        found = client.list_executions(stateMachineArn=machine, statusFilter="RUNNING", maxResults=1)["executions"]
    except client.exceptions.StateMachineDoesNotExist as error:
        raise CouldNotStart(f"{machine.rpartition(':')[2]} is not deployed; deploy the regions again") from error
    return str(found[0]["executionArn"]) if found else None


def follow(client: Any, run: str, on_step: Callable[[Step], None], *, pause: float = _PAUSE) -> End:
    """Tell each step when it is entered for the first time, until the run ends."""
    told: set[str] = set()
    while True:
        found = client.describe_execution(executionArn=run)
        for step in steps(client, run):
            if step.name not in told:
                told.add(step.name)
                on_step(step)
        if found["status"] != "RUNNING":
            return End(
                status=found["status"],
                document=json.loads(found.get("output") or "{}"),
                error=found.get("error", ""),
                cause=found.get("cause", ""),
            )
        time.sleep(pause)


def steps(client: Any, run: str) -> Iterator[Step]:
    """Every state that was entered so far, in order."""
    for event in history(client, run):
        details = event.get("stateEnteredEventDetails")
        if details:
            yield Step(name=details["name"], at=event["timestamp"])


def history(client: Any, run: str) -> Iterator[dict[str, Any]]:
    pages = client.get_paginator("get_execution_history").paginate(executionArn=run, includeExecutionData=True)
    for page in pages:
        yield from page["events"]
