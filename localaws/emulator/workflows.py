"""Step Functions: its tasks in lost regions, its time, and what the control API shows (`background`, `workflows`)."""

import json
import threading
from collections.abc import Callable
from typing import Any

_LOST = "Lambda.ServiceException"


def gate_workflow_tasks(wait: Callable[[str], None], is_lost: Callable[[str], bool]) -> None:
    """Call `wait(region)` in the execution's thread before each task of a Step Functions execution.

    A task that was at work when its region was lost fails as one that Lambda cannot serve.
    """
    from ministack.core.responses import get_region
    from ministack.services import stepfunctions

    invoke, invoke_in_time = stepfunctions._invoke_resource, stepfunctions._invoke_resource_with_timeout
    invoke_and_wait = stepfunctions._invoke_with_callback

    def gated(run: Callable[..., Any]) -> Callable[..., Any]:
        def run_gated(*arguments: Any) -> Any:
            region = get_region()
            wait(region)
            try:
                return run(*arguments)
            except stepfunctions._ExecutionError as error:
                if is_lost(region) and error.error not in (_LOST, "States.Timeout"):
                    raise stepfunctions._ExecutionError(_LOST, f"{region} is lost: {error.cause}") from error
                raise

        return run_gated

    # Outside the time limit too: it begins when the task does.
    stepfunctions._invoke_resource = gated(invoke)
    stepfunctions._invoke_resource_with_timeout = gated(invoke_in_time)
    stepfunctions._invoke_with_callback = gated(invoke_and_wait)


def pace_workflows(real: Callable[[float], float], least_timeout: float) -> None:
    """Let waits, retry intervals and time limits last `real(AWS seconds)`; limits not less than `least_timeout`."""
    from ministack.services import stepfunctions

    invoke_in_time, invoke_and_wait = (
        stepfunctions._invoke_resource_with_timeout,
        stepfunctions._invoke_with_callback,
    )

    def limit(seconds: float) -> float:
        return max(real(float(seconds)), least_timeout)

    def in_time(resource: str, given: Any, timeout: float) -> Any:
        return invoke_in_time(resource, given, limit(timeout))

    def and_wait(resource: str, given: Any, token: str, state: dict[str, Any]) -> Any:
        if "TimeoutSeconds" in state:
            state = {**state, "TimeoutSeconds": limit(state["TimeoutSeconds"])}
        return invoke_and_wait(resource, given, token, state)

    stepfunctions._invoke_resource_with_timeout = in_time
    stepfunctions._invoke_with_callback = and_wait
    scale_workflow_waits(real(1.0))


def scale_workflow_waits(scale: float) -> None:
    """Let a second of a Wait state or a retry interval last `scale` seconds. A wait that has begun keeps its length."""
    from ministack.services import stepfunctions

    stepfunctions._SFN_WAIT_SCALE = scale


def tell_of_workflow_calls(listener: Callable[[str, str], None]) -> None:
    """Call `listener(region, resource)` with each task that an execution runs."""
    from ministack.core.responses import get_region
    from ministack.services import stepfunctions

    invoke, invoke_and_wait = stepfunctions._invoke_resource, stepfunctions._invoke_with_callback

    def told(resource: str, given: Any) -> Any:
        listener(get_region(), resource)
        return invoke(resource, given)

    def told_and_wait(resource: str, *arguments: Any) -> Any:
        listener(get_region(), resource)
        return invoke_and_wait(resource, *arguments)

    stepfunctions._invoke_resource = told
    stepfunctions._invoke_with_callback = told_and_wait


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


# Step Functions' history: what a task was given (`workflows`).


def complete_scheduled_tasks() -> None:
    """Let the event TaskScheduled hold the task's region and parameters (API TaskScheduledEventDetails requires both).

    The arguments of a task are evaluated in the thread that writes the event next.
    """
    from ministack.core.responses import get_region
    from ministack.services import stepfunctions

    evaluate, add = stepfunctions._apply_jsonata_arguments, stepfunctions._add_event
    held = threading.local()

    def remembered(*arguments: Any) -> Any:
        held.parameters = evaluate(*arguments)
        return held.parameters

    def completed(execution: dict[str, Any], kind: str, details: dict[str, Any] | None = None) -> Any:
        if kind == "TaskScheduled" and details:
            scheduled = details["taskScheduledEventDetails"]
            parameters = json.dumps(getattr(held, "parameters", None))
            scheduled = {**scheduled, "region": get_region(), "parameters": parameters}
            details = {**details, "taskScheduledEventDetails": scheduled}
        return add(execution, kind, details)

    stepfunctions._apply_jsonata_arguments = remembered
    stepfunctions._add_event = completed
