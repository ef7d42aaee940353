"""Executions of the state machines, read from Step Functions: their steps, moments and outcome."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from drill.model.context import MACHINES, machine_arn
from drill.model.errors import ProbeError
from shared.deployment import Deployment
from shared.places import Place


@dataclass(frozen=True, kw_only=True)
class RunStep:
    """One task state of a run. Unix times."""

    name: str
    entered: float
    left: float | None  # None: the run ended in it


@dataclass(frozen=True, kw_only=True)
class WorkflowRun:
    """One execution. Times are Unix times; `document` is its output, or that of its last state."""

    machine: str  # failover or failback
    region: str  # where it ran
    name: str
    status: str
    started: float
    ended: float | None
    document: Mapping[str, Any] = field(default_factory=dict)
    failure: str = ""
    steps: tuple[RunStep, ...] = ()

    @property
    def went_on(self) -> bool:
        """Whether its preconditions were met; an execution that was skipped changed nothing."""
        return bool(self.document.get("preconditions", {}).get("met", False)) or (
            self.status != "SUCCEEDED" and any(step.name != "CheckPreconditions" for step in self.steps)
        )

    @property
    def held_because(self) -> str | None:
        preconditions = self.document.get("preconditions", {})
        return None if preconditions.get("met", True) else str(preconditions.get("reason"))

    @property
    def method(self) -> str | None:
        """The method that moved the writer: switchover, promotion, or none if it was there already; None if it did not
        get so far."""
        method = self.document.get("change", {}).get("method")
        return None if method is None else str(method)

    def moment(self, step: str, name: str = "at") -> float | None:
        """The time at which a step was done, by its part of the document: `fence`, `change`, `writer`, `publish`,
        `replay` or `verification`."""
        moment = self.document.get(step, {}).get(name)
        return None if moment is None else datetime.fromisoformat(moment).timestamp()


def read_runs(deployment: Deployment, *, besides: frozenset[str] = frozenset()) -> list[WorkflowRun]:
    """All runs of all our state machines but those named, the oldest first. Raises ProbeError."""
    found = []
    for place in Place:
        client = deployment.client("stepfunctions", place)
        for machine in MACHINES:
            try:
                listed = client.list_executions(stateMachineArn=machine_arn(deployment, machine, place))["executions"]
                found += [
                    _run(client, machine, deployment.region(place), each["executionArn"])
                    for each in listed
                    if each["name"] not in besides
                ]
            except (BotoCoreError, ClientError) as error:
                raise ProbeError(f"the {machine} runs in {deployment.region(place)} cannot be read: {error}") from error
    return sorted(found, key=lambda run: run.started)


def _run(client: Any, machine: str, region: str, arn: str) -> WorkflowRun:
    described = client.describe_execution(executionArn=arn)
    pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
    events = [event for page in pages for event in page["events"]]
    ended = described.get("stopDate")
    return WorkflowRun(
        machine=machine,
        region=region,
        name=described["name"],
        status=described["status"],
        started=described["startDate"].timestamp(),
        ended=ended.timestamp() if ended else None,
        document=json.loads(described.get("output") or _last_output(events) or "{}"),
        failure=": ".join(filter(None, (described.get("error"), described.get("cause"))))[:500],
        steps=tuple(_steps(events)),
    )


def _steps(events: list[dict[str, Any]]) -> list[RunStep]:
    """Task states in order; one that is entered repeatedly is one step."""
    steps: list[RunStep] = []
    entered: dict[str, float] = {}
    for event in events:
        at = event["timestamp"].timestamp()
        if event["type"] == "TaskStateEntered":
            entered[event["stateEnteredEventDetails"]["name"]] = at
        elif event["type"] == "TaskStateExited":
            details = event["stateExitedEventDetails"]
            name = details["name"]
            last = next((step for step in steps if step.name == name), None)
            if last:
                steps.remove(last)
            begin = last.entered if last else entered.get(name, at)
            steps.append(RunStep(name=name, entered=begin, left=at))
            entered.pop(name, None)
    steps += [RunStep(name=name, entered=at, left=None) for name, at in entered.items()]
    return sorted(steps, key=lambda step: step.entered)


def _last_output(events: list[dict[str, Any]]) -> str | None:
    """Of a run that failed, the output of its last state."""
    outputs = [event["stateExitedEventDetails"].get("output") for event in events if "stateExitedEventDetails" in event]
    return next((output for output in reversed(outputs) if output), None)
