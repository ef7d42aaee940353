"""Step Functions in AWS time, the calls of its tasks, and the status of executions for the control API."""

from datetime import datetime
from typing import Any

from localaws import emulator
from localaws.core.call_recorder import RecordedCalls
from localaws.core.clock import Clock
from localaws.core.control import Control

# Of this machine: a function starts no faster because the clock does, and a limit must leave time for a start.
LEAST_TIMEOUT = 5.0


class Workflows:
    def __init__(self, clock: Clock, calls: RecordedCalls) -> None:
        self._clock = clock
        self._calls = calls

    def install(self, control: Control) -> None:
        emulator.workflows.pace_workflows(self._clock.real, LEAST_TIMEOUT)
        self._clock.on_change(lambda: emulator.workflows.scale_workflow_waits(self._clock.real(1.0)))
        emulator.workflows.on_workflow_calls(self._called)
        emulator.workflows.complete_scheduled_tasks()
        control.section("workflows", status)

    def _called(self, region: str, resource: str) -> None:
        service, operation = called(resource)
        self._calls.task(region, service, operation)


def status() -> list[dict[str, Any]]:
    """Every execution, the oldest first; times are Unix times."""
    rows = [
        {**row, "started": _unix(row["started"]), "ended": _unix(row["ended"])}
        for row in emulator.workflows.workflow_executions()
    ]
    return sorted(rows, key=lambda row: (row["started"], row["name"]))


def called(resource: str) -> tuple[str, str]:
    """Service (its signing name, if the ARN has that) and operation of a task's resource ARN."""
    if ":function:" in resource:
        return "lambda", "Invoke"
    words = resource.partition(":::")[2].removeprefix("aws-sdk:").split(":")
    if len(words) < 2:
        return "states", resource
    operation = words[1].partition(".")[0]
    return words[0], operation[:1].upper() + operation[1:]


def _unix(moment: str | None) -> float | None:
    return datetime.fromisoformat(moment).timestamp() if moment else None
