"""Builders for Step Functions states (JSONata), with our timeout and retry defaults.

A run's input and the result of each step are merged into one document, which is every state's input and the run's
output. Every task has a timeout and retries, and ends in a notification when they are used up.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

State = dict[str, Any]

INVOKE = "arn:aws:states:::lambda:invoke"
INVOKE_AND_WAIT = f"{INVOKE}.waitForTaskToken"

# Errors that a retry cannot change: the run was decided on an older state, or requests what does not exist.
FINAL_ERRORS = ("EpochConflict", "UnknownOperation", "MemberNotFound", "WriterTimeout", "Declined")
# Lambda's own transient errors [SFN-5].
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
    """The value at `path` of the run's document."""
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
    fallback: str | None = None,
) -> State:
    """Invoke an operation of `recovery` with `given`; its result is stored as `keep` in the document.

    One with a `fallback` fails no run: its error is stored as `<keep>_failure`, and the run continues with that state.
    """
    payload = {"operation": operation, **given}
    return task(
        function_arn,
        payload,
        keep=keep,
        following=following,
        seconds=seconds,
        tries=tries,
        caught_by=fallback or NOTIFY_FAILURE,
        caught_as=f"{keep}_failure" if fallback else "failure",
    )


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
        "Retry": list(retry if retry is not None else retries(tries)),
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


def retries(tries: int) -> list[dict[str, Any]]:
    """Retry transient errors, `tries` times, with growing pauses."""
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
