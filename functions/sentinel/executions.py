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
    """This region's failover and failback state machines.

    The executions for one loss are named `<stem>-<number>`, numbered without gaps, so that two concurrent sentinels
    arrive at the same name. The input of each has the number of failed ones before it (`failed_runs`), so that the last
    one describes them all.
    """

    def __init__(self, client: Any, *, failover_arn: str, failback_arn: str, pace: Pace) -> None:
        self._client = client
        self._failover = failover_arn
        self._failback = failback_arn
        self._pace = pace
        self._last: tuple[str, int] | None = None  # stem and highest number seen by this process

    def runs(self, stem: str, last: str | None) -> Runs:
        """The running execution of either state machine, what is known of the ended ones named after `stem`, and
        whether `last` (the ARN that holds this region's run slot) is unfinished. Raises RunsUnavailable."""
        try:
            for machine in (self._failover, self._failback):
                found = self._client.list_executions(stateMachineArn=machine, statusFilter="RUNNING", maxResults=1)
                if found["executions"]:
                    return Runs(in_progress=found["executions"][0]["name"])
            return self._ended(stem, last)
        except (ClientError, BotoCoreError) as error:
            raise RunsUnavailable(_name(error)) from None

    def start(self, stem: str, runs: Runs, request: Mapping[str, Any]) -> str:
        """Start the failover under the next name after `runs`, unless an execution of that name exists. Returns the
        name.

        `request` is the execution's input, to which the number of failed ones is added. Raises RunsUnavailable.
        """
        name = f"{stem}-{runs.attempts}"
        self._start(self._failover, name, {**request, "failed_runs": runs.failed})
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

    def _ended(self, stem: str, last: str | None) -> Runs:
        left = self._describe(last) if last and last.startswith(self._executions) else None
        unfinished = left is not None and left["status"] != "SUCCEEDED"
        number, latest = self._latest(stem)
        if latest is None and unfinished:
            latest = left  # the epochs, and with them the stem, have changed since
        if latest is None:
            return Runs()
        if latest["status"] == "RUNNING":
            return Runs(in_progress=latest["name"])
        return Runs(
            attempts=number + 1,
            # An execution that was held has succeeded. One that went on and succeeded has changed the epochs.
            failed=_failed_before(latest) + (latest["status"] != "SUCCEEDED"),
            seconds_since_attempt=self._pace.since(latest["stopDate"].isoformat()),
            unfinished=unfinished,
            declined=left is not None and left.get("error") == DECLINED,
        )

    def _latest(self, stem: str) -> tuple[int, dict[str, Any] | None]:
        """The highest number of an execution named after `stem`, and its description; -1 and None if there is none.

        By doubling and halving: O(log n) calls in a new process, later two.
        """
        known = self._last[1] if self._last and self._last[0] == stem else -1
        low, latest = known, self._attempt(stem, known) if known >= 0 else None
        step = 1
        while found := self._attempt(stem, low + step):
            low, latest, step = low + step, found, step * 2
        high = low + step
        while high - low > 1:
            middle = (low + high) // 2
            if found := self._attempt(stem, middle):
                low, latest = middle, found
            else:
                high = middle
        self._last = (stem, low) if latest else None
        return (low, latest) if latest else (-1, None)

    def _attempt(self, stem: str, number: int) -> dict[str, Any] | None:
        return self._describe(f"{self._executions}{stem}-{number}")

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


def _failed_before(execution: Mapping[str, Any]) -> int:
    """The number of failed executions before this one, by its input; 0 for one that no sentinel started."""
    given = json.loads(execution.get("input") or "{}")
    return int(given.get("failed_runs", 0)) if isinstance(given, dict) else 0


def _name(error: ClientError | BotoCoreError) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
