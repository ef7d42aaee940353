"""Step Functions: tasks in lost regions, time, events and executions."""

import json
import threading
from collections.abc import Callable
from typing import Any

from localaws.emulator.patches import patch, patch_value

_LOST = "Lambda.ServiceException"


def gate_workflow_tasks(wait: Callable[[str], None], is_lost: Callable[[str], bool]) -> None:
    """Call `wait(region)` in the execution's thread before each task of a Step Functions execution.

    A task that was at work when its region was lost fails as one that Lambda cannot serve.
    """
    from ministack.core.responses import get_region
    from ministack.services import stepfunctions

    def gated(run: Any, *arguments: Any) -> Any:
        region = get_region()
        wait(region)
        try:
            return run(*arguments)
        except stepfunctions._ExecutionError as error:
            if is_lost(region) and error.error not in (_LOST, "States.Timeout"):
                raise stepfunctions._ExecutionError(_LOST, f"{region} is lost: {error.cause}") from error
            raise

    for name in ("_invoke_resource", "_invoke_resource_with_timeout", "_invoke_with_callback"):
        patch(f"services.stepfunctions:{name}", gated)


def pace_workflows(real: Callable[[float], float], least_timeout: float) -> None:
    """Let waits, retry intervals and time limits last `real(AWS seconds)`; limits not less than `least_timeout`."""

    def limit(seconds: float) -> float:
        return max(real(float(seconds)), least_timeout)

    def in_time(invoke: Any, resource: str, given: Any, timeout: float) -> Any:
        return invoke(resource, given, limit(timeout))

    def and_wait(invoke: Any, resource: str, given: Any, token: str, state: dict[str, Any]) -> Any:
        if "TimeoutSeconds" in state:
            state = {**state, "TimeoutSeconds": limit(state["TimeoutSeconds"])}
        return invoke(resource, given, token, state)

    patch("services.stepfunctions:_invoke_resource_with_timeout", in_time)
    patch("services.stepfunctions:_invoke_with_callback", and_wait)
    scale_workflow_waits(real(1.0))


def scale_workflow_waits(scale: float) -> None:
    """Let a second of a Wait state or a retry interval last `scale` seconds. A wait that has begun keeps its length.

    ministack reads the environment variable SFN_WAIT_SCALE when it is imported only, and the speed changes later.
    """
    patch_value("services.stepfunctions:_SFN_WAIT_SCALE", lambda _value: scale)


def on_workflow_calls(listener: Callable[[str, str], None]) -> None:
    """Call `listener(region, resource)` with each task that an execution runs."""
    from ministack.core.responses import get_region

    def notify(invoke: Any, resource: str, *arguments: Any) -> Any:
        listener(get_region(), resource)
        return invoke(resource, *arguments)

    patch("services.stepfunctions:_invoke_resource", notify)
    patch("services.stepfunctions:_invoke_with_callback", notify)


def workflow_executions() -> list[dict[str, Any]]:
    """Every execution of every region, with its region, name, state machine, status, and when it ran."""
    from ministack.services import stepfunctions

    return [
        {
            "region": region,
            "machine": execution["stateMachineArn"].rpartition(":")[2],
            "name": execution["name"],
            "arn": arn,
            "status": execution["status"],
            "started": execution["startDate"],
            "ended": execution["stopDate"],
            "error": execution.get("error"),
        }
        for (_, region, arn), execution in list(stepfunctions._executions._data.items())
    ]


def complete_scheduled_tasks() -> None:
    """Let the event TaskScheduled hold the task's region and parameters (API TaskScheduledEventDetails requires both).

    The arguments of a task are evaluated in the thread that writes the event next.
    """
    from ministack.core.responses import get_region

    held = threading.local()

    def remembered(evaluate: Any, *arguments: Any) -> Any:
        held.parameters = evaluate(*arguments)
        return held.parameters

    def completed(add: Any, execution: dict[str, Any], kind: str, details: dict[str, Any] | None = None) -> Any:
        if kind == "TaskScheduled" and details:
            scheduled = details["taskScheduledEventDetails"]
            parameters = json.dumps(getattr(held, "parameters", None))
            scheduled = {**scheduled, "region": get_region(), "parameters": parameters}
            details = {**details, "taskScheduledEventDetails": scheduled}
        return add(execution, kind, details)

    patch("services.stepfunctions:_apply_jsonata_arguments", remembered)
    patch("services.stepfunctions:_add_event", completed)
