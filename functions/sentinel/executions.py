"""The executions of the failover and failback state machines: queries, and the start of a failover."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from common.clock import Pace

from .decision import Runs

DECLINED = "Declined"
"""The error of an execution that an operator declined (`ops/failover`, `recovery/notifications.py`)."""


class RunsUnavailable(Exception):
    """Step Functions did not answer in this region; `reason` is the error's code or class name."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Step Functions is unavailable: {reason}")
        self.reason = reason


class StateMachines:
    """This region's failover and failback state machines. `attempts`: executions per loss."""

    def __init__(self, client: Any, *, failover_arn: str, failback_arn: str, attempts: int, pace: Pace) -> None:
        self._client = client
        self._failover = failover_arn
        self._failback = failback_arn
        self._attempts = attempts
        self._pace = pace

    def runs(self, stem: str, last: str | None) -> Runs:
        """The running execution of either state machine, the attempts named after `stem`, and whether `last` (the ARN
        that holds this region's run slot) is unfinished. Raises RunsUnavailable."""
        try:
            for machine in (self._failover, self._failback):
                found = self._client.list_executions(stateMachineArn=machine, statusFilter="RUNNING", maxResults=1)
                if found["executions"]:
                    return Runs(in_progress=found["executions"][0]["name"])
            return self._attempts_of(stem, last)
        except (ClientError, BotoCoreError) as error:
            raise RunsUnavailable(_name(error)) from None

    def start(self, stem: str, attempt: int, request: Mapping[str, Any]) -> str:
        """Start the failover under the name of this attempt, unless an execution of that name exists. Returns the name.

        `request` is the execution's input. Raises RunsUnavailable.
        """
        name = f"{stem}-{attempt}"
        self._start(self._failover, name, request)
        return name

    def return_peer(self, name: str, request: Mapping[str, Any]) -> None:
        """Start the failback as execution `name` with `request` as its input, unless it exists. Raises
        RunsUnavailable."""
        self._start(self._failback, name, request)

    def _start(self, machine: str, name: str, request: Mapping[str, Any]) -> None:
        try:
            self._client.start_execution(stateMachineArn=machine, name=name, input=json.dumps(dict(request)))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise RunsUnavailable(_name(error)) from None
        except BotoCoreError as error:
            raise RunsUnavailable(_name(error)) from None

    def _attempts_of(self, stem: str, last: str | None) -> Runs:
        """Attempts are numbered without gaps, so that two concurrent sentinels arrive at the same name."""
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
        """The common prefix of the ARNs of the failover's executions."""
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
