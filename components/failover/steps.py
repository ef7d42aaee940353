"""Steps shared by failover and failback, each as a set of states."""

from collections.abc import Mapping
from typing import Any

from components.failover.states import (
    FAILED,
    NOTIFY_FAILURE,
    RUN_ARN,
    RUN_NAME,
    RUN_STARTED,
    WAIT_SECONDS,
    State,
    document,
    expression,
    or_null,
    recovery_task,
    task,
)


def guard(function_arn: str, machine: str, *, following: str) -> dict[str, State]:
    """Checks the preconditions of the run; without them it ends in "Skipped", which is no failure."""
    request = {"machine": machine, "execution": RUN_ARN, "started_at": RUN_STARTED}
    return {
        "CheckPreconditions": recovery_task(
            function_arn,
            "check-preconditions",
            {**request, "request": expression("$states.input")},
            keep="preconditions",
            following="CanProceed",
        ),
        "CanProceed": {
            "Type": "Choice",
            "Choices": [{"Condition": document("preconditions.met"), "Next": following}],
            "Default": "Skipped",
        },
        "Skipped": {"Type": "Succeed"},
    }


def wait_for_writer(function_arn: str, *, lost: str | None, following: str) -> dict[str, State]:
    """Polls until the writer is in its new region; the operation sets the time limit. `lost` is an expression."""
    request = {
        "region": document("preconditions.writer_region"),
        "lost": lost,
        "since": document("change.at"),
        "vouched": document("preconditions.vouched"),
        "may_be_fenced": document("preconditions.may_be_fenced"),
        # Missing before the first poll, and in a failback.
        "fenced_at": or_null("fence.at"),
        "peer_fenced_since": or_null("fence.peer_fenced_since"),
        "down_since": or_null("writer.down_since"),
        "down_at": or_null("writer.down_at"),
    }
    return {
        "DescribeWriter": recovery_task(
            function_arn, "describe-writer", request, keep="writer", following="WriterReady"
        ),
        "WriterReady": {
            "Type": "Choice",
            "Choices": [{"Condition": document("writer.ready"), "Next": following}],
            "Default": "WaitForWriter",
        },
        "WaitForWriter": {"Type": "Wait", "Seconds": WAIT_SECONDS, "Next": "DescribeWriter"},
    }


def publish(function_arn: str, *, following: str) -> dict[str, State]:
    given = {
        "writer_region": document("preconditions.writer_region"),
        "epoch": document("preconditions.writer_epoch"),
        "by": RUN_NAME,
        "vouched": document("preconditions.vouched"),
        "may_be_fenced": document("preconditions.may_be_fenced"),
    }
    return {"Publish": recovery_task(function_arn, "publish", given, keep="publish", following=following)}


def publish_parameter(function_arn: str, *, following: str) -> dict[str, State]:
    """Publishes the writer to programs outside of the recovery, once it is proven. One try: the ledger may have more to
    replay."""
    given = {"writer_region": document("preconditions.writer_region")}
    return {
        "PublishParameter": recovery_task(
            function_arn,
            "publish-parameter",
            given,
            keep="parameter",
            following=following,
            seconds=30,
            tries=1,
            fallback=following,
        )
    }


FIRST_REPLAY = 30
"""AWS seconds of the replay before the payment is verified: enough for the backlog of a failover in time."""


def replay(
    replay_arn: str, verify_arn: str, given: Mapping[str, Any], *, seconds: int, following: str
) -> dict[str, State]:
    """Replays the backlogs until no continuation is returned, and verifies a payment after the first invocation, so
    that it does not wait for the rest of a long replay. The counts are cumulative.

    Retries for up to two minutes, because the ledger rejects writes until its region holds the writer role, and after a
    failback until the witness reports the region's endpoints healthy.
    """
    request = {**given, "operation": "replay", "continuation": or_null("replay.continuation")}
    answer = '$merge([$states.result.Payload, {"at": $now()}])'

    def invocation(request: Mapping[str, Any], following: str) -> State:
        return task(replay_arn, request, keep="replay", following=following, seconds=seconds, tries=10, answer=answer)

    payment = {
        "execution": RUN_NAME,
        "writer_region": document("preconditions.writer_region"),
        "key": document("preconditions.verification_key"),
    }
    return {
        "Replay": invocation({**request, "seconds": FIRST_REPLAY}, "VerifyPayment"),
        "VerifyPayment": recovery_task(
            verify_arn, "verify-payment", payment, keep="verification", following="PublishParameter"
        ),
        **publish_parameter(verify_arn, following="ReplayComplete"),
        "ReplayComplete": {
            "Type": "Choice",
            "Choices": [{"Condition": document("replay.done"), "Next": following}],
            "Default": "ContinueReplay",
        },
        "ContinueReplay": invocation(request, "ReplayComplete"),
    }


def ending(function_arn: str, machine: str, moments: Mapping[str, str]) -> dict[str, State]:
    """Publishes metrics, notifies, and ends the run, or fails it. `moments` are the arguments of `measure`, each with
    its path in the document. Neither the metrics nor the notification fail a run that has been proven."""
    given: dict[str, Any] = {name: or_null(place) for name, place in moments.items()}
    measured = {
        **given,
        "started_at": document("preconditions.started_at"),
        "method": or_null("change.method"),
        "replay": or_null("replay"),
    }

    def outcome_of(outcome: str) -> dict[str, Any]:
        return {"machine": machine, "execution": RUN_ARN, "outcome": outcome, "document": expression("$states.input")}

    return {
        "Measure": recovery_task(
            function_arn,
            "measure-durations",
            measured,
            keep="metrics",
            following="NotifySuccess",
            fallback="NotifySuccess",
        ),
        "NotifySuccess": recovery_task(
            function_arn, "notify", outcome_of("succeeded"), keep="notification", following="Done", fallback="Done"
        ),
        "Done": {"Type": "Succeed"},
        NOTIFY_FAILURE: task(
            function_arn,
            {"operation": "notify", **outcome_of("failed")},
            keep="notification",
            following=FAILED,
            seconds=60,
            tries=5,
            caught_by=FAILED,
            caught_as="notification_failure",
        ),
        FAILED: {
            "Type": "Fail",
            "Error": document("failure.Error"),
            "Cause": document("failure.Cause"),
        },
    }
