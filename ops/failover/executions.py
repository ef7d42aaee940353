"""Executions of the failover and failback state machines: start, find, follow, and answer one that waits for approval.

Every call goes to Step Functions in the state machine's own region.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.environment.search import Environment
from shared.command_line import CouldNotStart
from shared.places import Place

STEPS = {
    "CheckPreconditions": "checks the preconditions",
    "Preflight": "checks that both regions are healthy, the reader is close behind, and nothing is left to post",
    "OverrideFence": "overrides the fence of this region, for the operator who forces the failover",
    "Fence": "fences the region, so that it stays out of service until a failback",
    "WaitForApproval": "waits for a person's approval of the database change",
    "TrySwitchover": "tries to switch the database writer over, without data loss",
    "DescribeSwitchover": "waits until the switchover is done, or is given up",
    "Promote": "promotes this region's database; payments that were not replicated are replayed",
    "Switch": "switches the database writer over, without data loss",
    "DescribeWriter": "waits until the new writer accepts writes",
    "Publish": "publishes the writer's region to all functions",
    "Unfence": "removes the fence; traffic returns once health checks pass",
    "Replay": "replays payments that were acknowledged and are not in the ledger",
    "VerifyPayment": "verifies a synthetic payment end to end",
    "PublishParameter": "publishes the writer's region in Parameter Store, for other programs",
    "ContinueReplay": "replays the rest of a long backlog",
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
    """The end of an execution: SUCCEEDED, FAILED, TIMED_OUT or ABORTED, and its output."""

    status: str
    document: dict[str, Any]
    error: str = ""
    cause: str = ""

    @property
    def skipped(self) -> str | None:
        """The precondition that was not met, so that nothing was changed; None if it proceeded."""
        preconditions = self.document.get("preconditions", {})
        return None if preconditions.get("met", True) else str(preconditions.get("reason", ""))


def machine_arn(environment: Environment, workflow: str, place: Place) -> str:
    """`workflow`: failover or failback; `place`: where it runs."""
    name = environment.names.regional(workflow, place)
    return f"arn:aws:states:{environment.region(place)}:{environment.account}:stateMachine:{name}"


def start(client: Any, machine: str, name: str, request: dict[str, Any]) -> str:
    """The new execution's ARN. Raises CouldNotStart if there is no such state machine."""
    try:
        started = client.start_execution(stateMachineArn=machine, name=name, input=json.dumps(request))
    except client.exceptions.StateMachineDoesNotExist as error:
        raise CouldNotStart(f"{machine.rpartition(':')[2]} is not deployed; deploy the regions again") from error
    return str(started["executionArn"])


def running(client: Any, machine: str) -> str | None:
    """The ARN of the state machine's running execution."""
    try:
        found = client.list_executions(stateMachineArn=machine, statusFilter="RUNNING", maxResults=1)["executions"]
    except client.exceptions.StateMachineDoesNotExist as error:
        raise CouldNotStart(f"{machine.rpartition(':')[2]} is not deployed; deploy the regions again") from error
    return str(found[0]["executionArn"]) if found else None


def follow(client: Any, run: str, on_step: Callable[[Step], None], *, pause: float = _PAUSE) -> End:
    """Call `on_step` for each state that is entered for the first time, until the execution ends."""
    seen: set[str] = set()
    while True:
        found = client.describe_execution(executionArn=run)
        for step in steps(client, run):
            if step.name not in seen:
                seen.add(step.name)
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
    """Every state entered so far, in order."""
    for event in history(client, run):
        details = event.get("stateEnteredEventDetails")
        if details:
            yield Step(name=details["name"], at=event["timestamp"])


def history(client: Any, run: str) -> Iterator[dict[str, Any]]:
    pages = client.get_paginator("get_execution_history").paginate(executionArn=run, includeExecutionData=True)
    for page in pages:
        yield from page["events"]


# An execution that waits for approval. The task token went to the function that sends the notification; the execution's
# history holds that function's input [SFN-6].

WAITING_STATE = "WaitForApproval"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    place: Place  # where the execution runs: the surviving region
    run: str  # ARN
    since: datetime
    token: str = field(repr=False)


def find_waiting(environment: Environment) -> Waiting | None:
    """The execution that waits for approval, in either region; the secondary first, since the primary is lost more
    often. Raises botocore's error when neither region answers."""
    silent: list[ClientError | BotoCoreError] = []
    for place in (Place.SECONDARY, Place.PRIMARY):
        client = environment.client("stepfunctions", place)
        try:
            run = running(client, machine_arn(environment, "failover", place))
            request = approval_request(history(client, run)) if run else None
        except (ClientError, BotoCoreError) as error:
            silent.append(error)
            continue
        if run and request:
            return Waiting(place=place, run=run, since=request[0], token=request[1])
    if len(silent) == len(Place):
        raise silent[0]
    return None


def approval_request(events: Iterable[dict[str, Any]]) -> tuple[datetime, str] | None:
    """The time at which approval was requested, and the task token, if the execution is still in that state."""
    request: tuple[datetime, str] | None = None
    inside = False
    for event in events:
        if entered := event.get("stateEnteredEventDetails"):
            inside = entered["name"] == WAITING_STATE
        elif "stateExitedEventDetails" in event:
            inside = False
        elif inside and (scheduled := event.get("taskScheduledEventDetails")):
            payload = json.loads(scheduled["parameters"]).get("Payload", {})
            request = (event["timestamp"], payload["token"])
    return request if inside else None


def answer(client: Any, waiting: Waiting, *, approved: bool, by: str, reason: str) -> None:
    """Let the execution continue, or end it."""
    if approved:
        client.send_task_success(taskToken=waiting.token, output=json.dumps({"approved_by": by, "reason": reason}))
    else:
        client.send_task_failure(taskToken=waiting.token, error="Declined", cause=f"declined by {by}: {reason}"[:256])
