"""Builders for Step Functions states (JSONata), with our timeout and retry defaults.

A run's input and what each step answered grow into one document, which is every state's input and the run's output.
Every task has a time limit, tries again what may pass, and at last leads to people being told.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

State = dict[str, Any]

INVOKE = "arn:aws:states:::lambda:invoke"
INVOKE_AND_WAIT = f"{INVOKE}.waitForTaskToken"

# What another try cannot change: the run was decided on an older state, or asks for what is not there.
FINAL_ERRORS = ("EpochConflict", "UnknownOperation", "MemberNotFound", "WriterTimeout", "Declined")
# Lambda's own passing faults [SFN-5].
LAMBDA_FAULTS = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)

FAILED, NOTIFY_FAILURE = "Failed", "NotifyFailure"
WAIT_SECONDS = 2


def expression(text: str) -> str:
    return "{% " + text + " %}"


def document(path: str) -> str:
    """What the run's document holds at `path`."""
    return expression(f"$states.input.{path}")


RUN_NAME = expression("$states.context.Execution.Name")
RUN_ARN = expression("$states.context.Execution.Id")
RUN_STARTED = expression("$states.context.Execution.StartTime")


def recovery_task(
    function_arn: str,
    operation: str,
    given: Mapping[str, Any],
    *,
    keep: str,
    following: str,
    seconds: int = 60,
    tries: int = 3,
) -> State:
    """Call an operation of `recovery` with `given`; its answer becomes `keep` in the document."""
    payload = {"operation": operation, **given}
    return task(function_arn, payload, keep=keep, following=following, seconds=seconds, tries=tries)


def task(
    function_arn: str,
    payload: Mapping[str, Any],
    *,
    keep: str,
    following: str,
    seconds: int,
    tries: int = 3,
    resource: str = INVOKE,
    answer: str = "$states.result.Payload",
    retry: Sequence[Mapping[str, Any]] | None = None,
    caught_by: str = NOTIFY_FAILURE,
    caught_as: str = "failure",
) -> State:
    return {
        "Type": "Task",
        "Resource": resource,
        "Arguments": {"FunctionName": function_arn, "Payload": dict(payload)},
        "TimeoutSeconds": seconds,
        "Retry": list(retry if retry is not None else patience(tries)),
        "Catch": [
            {
                "ErrorEquals": ["States.ALL"],
                "Output": expression(f'$merge([$states.input, {{"{caught_as}": $states.errorOutput}}])'),
                "Next": caught_by,
            }
        ],
        "Output": expression(f'$merge([$states.input, {{"{keep}": {answer}}}])'),
        "Next": following,
    }


def patience(tries: int) -> list[dict[str, Any]]:
    """Try again what may pass, `tries` times, with growing pauses."""
    return [
        {"ErrorEquals": list(FINAL_ERRORS), "MaxAttempts": 0},
        {
            "ErrorEquals": ["States.ALL"],
            "IntervalSeconds": 1,
            "MaxAttempts": tries,
            "BackoffRate": 2,
            "MaxDelaySeconds": 20,
        },
    ]


def machine(comment: str, states: Mapping[str, State], *, start: str, seconds: int) -> str:
    """The definition as JSON that is the same every time."""
    return json.dumps(
        {
            "Comment": comment,
            "QueryLanguage": "JSONata",
            "StartAt": start,
            "TimeoutSeconds": seconds,
            "States": dict(states),
        },
        sort_keys=True,
    )


def or_null(place: str) -> str:
    found = f"$states.input.{place}"
    return expression(f"$exists({found}) ? {found} : null")
