"""Step Functions' history: what a task was given (`workflows`)."""

import json
import threading
from typing import Any


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
