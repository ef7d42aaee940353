"""The state machines' runs as the sentinel sees and starts them."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from common.pace import Pace

from .verdict import Runs


class RunsUnavailable(Exception):
    """Step Functions did not answer in this region; `reason` is an error's name."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Step Functions is unavailable: {reason}")
        self.reason = reason


class StateMachines:
    """This region's failover and failback."""

    def __init__(self, client: Any, *, failover_arn: str, failback_arn: str, attempts: int, pace: Pace) -> None:
        self._client = client
        self._failover = failover_arn
        self._failback = failback_arn
        self._attempts = attempts
        self._pace = pace

    def look(self, stem: str) -> Runs:
        """Whether either machine is at work, and how often `stem` was tried. Raises RunsUnavailable."""
        try:
            for machine in (self._failover, self._failback):
                found = self._client.list_executions(stateMachineArn=machine, statusFilter="RUNNING", maxResults=1)
                if found["executions"]:
                    return Runs(in_progress=found["executions"][0]["name"])
            return self._tried(stem)
        except (ClientError, BotoCoreError) as error:
            raise RunsUnavailable(_name(error)) from None

    def start(self, stem: str, attempt: int, request: Mapping[str, Any]) -> str:
        """Start the failover under the name that belongs to this attempt, or find that somebody has; its name.

        Raises RunsUnavailable.
        """
        name = f"{stem}-{attempt}"
        try:
            self._client.start_execution(stateMachineArn=self._failover, name=name, input=json.dumps(dict(request)))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise RunsUnavailable(_name(error)) from None
        except BotoCoreError as error:
            raise RunsUnavailable(_name(error)) from None
        return name

    def _tried(self, stem: str) -> Runs:
        """Attempts are numbered without a gap, so that two who count at once arrive at the same name."""
        ended: datetime | None = None
        for attempt in range(self._attempts):
            found = self._describe(f"{stem}-{attempt}")
            if found is None:
                return self._ended(attempt, ended)
            if found["status"] == "RUNNING":
                return Runs(in_progress=found["name"])
            ended = found["stopDate"]
        return self._ended(self._attempts, ended)

    def _ended(self, attempts: int, moment: datetime | None) -> Runs:
        ago = self._pace.since(moment.isoformat()) if moment else None
        return Runs(attempts=attempts, seconds_since_attempt=ago)

    def _describe(self, name: str) -> dict[str, Any] | None:
        arn = f"{self._failover.replace(':stateMachine:', ':execution:')}:{name}"
        try:
            found: dict[str, Any] = self._client.describe_execution(executionArn=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                return None
            raise
        return found


def _name(error: ClientError | BotoCoreError) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
