"""Writes every AWS call of a run into its log, by a hook on the sessions from which the deployment makes clients."""

import time
from collections.abc import Callable
from typing import Any

import boto3

from drill.runlog.entries import ApiCall
from drill.runlog.log import RunLog
from shared.deployment import Deployment

_CALL = "drill_call"  # key in a call's own context of its model and start time


def record_calls(deployment: Deployment, run_log: RunLog) -> None:
    """From now on; clients made before are not recorded."""
    deployment.watch(recorder(run_log))


def recorder(run_log: RunLog) -> Callable[[boto3.Session], None]:
    """A watcher of sessions. botocore emits one of the two ends for each call, retries included."""

    def begun(model: Any, context: dict[str, Any], **_: Any) -> None:
        context[_CALL] = model, time.monotonic()

    def answered(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        code = parsed.get("Error", {}).get("Code")
        end(context, str(code) if code else "ok")

    def failed(exception: Exception, context: dict[str, Any], **_: Any) -> None:
        end(context, type(exception).__name__)

    def end(context: dict[str, Any], outcome: str) -> None:
        if run_log.closed:
            return  # the run is over; later calls are not its own
        model, started = context[_CALL]
        run_log.write(
            ApiCall(
                service=model.service_model.service_name,
                operation=model.name,
                region=context["client_region"],
                outcome=outcome,
                seconds=round(time.monotonic() - started, 4),
            )
        )

    def watch(session: boto3.Session) -> None:
        session.events.register("before-call", begun)
        session.events.register("after-call", answered)
        session.events.register("after-call-error", failed)

    return watch
