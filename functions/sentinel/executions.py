"""The state machines' runs as the sentinel sees and starts them."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from common.clock import Pace

from .decision import Runs

DECLINED = "Declined"
"""The error of a run that people said no to (`ops/failover/approval.py`, the workflow's own word for it)."""


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

    def look(self, stem: str, last: str | None) -> Runs:
        """Whether either machine is at work, how often `stem` was tried, and whether `last`, the ARN of the run that
        went on last in this region, left something to be finished. Raises RunsUnavailable."""
        try:
            for machine in (self._failover, self._failback):
                found = self._client.list_executions(stateMachineArn=machine, statusFilter="RUNNING", maxResults=1)
                if found["executions"]:
                    return Runs(in_progress=found["executions"][0]["name"])
            return self._tried(stem, last)
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

    def _tried(self, stem: str, last: str | None) -> Runs:
        """Attempts are numbered without a gap, so that two who count at once arrive at the same name."""
        left = self._describe(last) if last and last.startswith(self._executions) else None
        unfinished = left is not None and left["status"] != "SUCCEEDED"
        declined = left is not None and left.get("error") == DECLINED
        latest = left if unfinished else None
        attempts = 0
        while attempts < self._attempts and (found := self._describe(f"{self._executions}{stem}-{attempts}")):
            latest, attempts = found, attempts + 1
        if latest is None:
            return Runs()
        if latest["status"] == "RUNNING":
            return Runs(in_progress=latest["name"])
        ago = self._pace.since(latest["stopDate"].isoformat())
        return Runs(attempts=attempts, seconds_since_attempt=ago, unfinished=unfinished, declined=declined)

    @property
    def _executions(self) -> str:
        """What the ARN of each run of the failover begins with."""
        return self._failover.replace(":stateMachine:", ":execution:") + ":"

    def _describe(self, arn: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._client.describe_execution(executionArn=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                return None
            raise
        return found


def _name(error: ClientError | BotoCoreError) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
