"""A failover that waits for a person: where it is, and its answer.

The token that answers it was given to the function that asks people; the run's own history holds what it was given
[SFN-6].
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.environment.search import Environment
from ops.failover import executions
from shared.places import Place

ASKING = "WaitForApproval"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    place: Place  # where the run is: the survivor
    run: str  # ARN
    since: datetime
    token: str = field(repr=False)


def find(environment: Environment) -> Waiting | None:
    """The run that waits, looked for in both places, in the secondary first: the primary is lost more often.

    A lost region's own run can wait for nobody. Raises what botocore raises when neither region answers.
    """
    silent: list[ClientError | BotoCoreError] = []
    for place in (Place.SECONDARY, Place.PRIMARY):
        client = environment.client("stepfunctions", place)
        try:
            run = executions.running(client, executions.machine_arn(environment, "failover", place))
            asked = question(executions.history(client, run)) if run else None
        except (ClientError, BotoCoreError) as error:
            silent.append(error)
            continue
        if run and asked:
            return Waiting(place=place, run=run, since=asked[0], token=asked[1])
    if len(silent) == len(Place):
        raise silent[0]
    return None


def question(events: Iterable[dict[str, Any]]) -> tuple[datetime, str] | None:
    """When people were asked, and the token, if the run is still in that step."""
    asked: tuple[datetime, str] | None = None
    inside = False
    for event in events:
        if entered := event.get("stateEnteredEventDetails"):
            inside = entered["name"] == ASKING
        elif "stateExitedEventDetails" in event:
            inside = False
        elif inside and (scheduled := event.get("taskScheduledEventDetails")):
            payload = json.loads(scheduled["parameters"]).get("Payload", {})
            asked = (event["timestamp"], payload["token"])
    return asked if inside else None


def answer(client: Any, waiting: Waiting, *, approved: bool, by: str, reason: str) -> None:
    """Let the run go on, or end it."""
    if approved:
        client.send_task_success(taskToken=waiting.token, output=json.dumps({"approved_by": by, "reason": reason}))
    else:
        client.send_task_failure(taskToken=waiting.token, error="Declined", cause=f"declined by {by}: {reason}"[:256])
