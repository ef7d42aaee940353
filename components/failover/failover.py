"""The failover state machine as data. It runs in the surviving region and invokes only functions of that region, which
never depend on the lost region, nor on the control planes of Route 53 or Global Accelerator.
"""

from dataclasses import dataclass

from components.failover import states as flow
from components.failover import steps
from components.failover.states import State

MINUTE = 60
HOUR = 60 * MINUTE


@dataclass(frozen=True, kw_only=True)
class FailoverArgs:
    recovery_arn: str
    ledger_arn: str
    needs_approval: bool  # an operator decides about the database; traffic and payments have moved already
    replay_seconds: int = 330  # longer than the ledger's own timeout
    approval_seconds: int = 4 * HOUR
    limit_seconds: int = HOUR  # of the whole run, without the approval


def failover_definition(args: FailoverArgs) -> str:
    """The definition as JSON."""
    region = flow.document("preconditions.region")
    change = "ChooseWriterChange"
    states = {
        **steps.guard(args.recovery_arn, "failover", following="Fence"),
        "Fence": flow.recovery_task(
            args.recovery_arn,
            "fence",
            {"region": region, "epoch": flow.document("preconditions.epoch"), "by": flow.RUN_NAME},
            keep="fence",
            following="ApprovalRequired" if args.needs_approval else change,
        ),
        **(_approval(args, following=change) if args.needs_approval else {}),
        **_change_of_writer(args),
        **steps.wait_for_writer(args.recovery_arn, lost=region, following="Publish"),
        **steps.publish(args.recovery_arn, following="Replay"),
        **steps.replay(args.ledger_arn, {}, seconds=args.replay_seconds, following="VerifyPayment"),
        **steps.prove(args.recovery_arn, following="Measure"),
        **steps.ending(
            args.recovery_arn,
            "failover",
            {
                "failing_since": "preconditions.failing_since",
                "detected_at": "preconditions.detected_at",
                "fenced_at": "fence.at",
                "change_requested_at": "change.at",
                "writer_at": "writer.at",
                "published_at": "publish.at",
                "replayed_at": "replay.at",
                "verified_at": "verification.at",
            },
        ),
    }
    seconds = args.limit_seconds + (args.approval_seconds if args.needs_approval else 0)
    return flow.machine("Takes over from a lost region", states, start="CheckPreconditions", seconds=seconds)


def _approval(args: FailoverArgs, *, following: str) -> dict[str, State]:
    """Waits for an operator's answer, given with the task token. No answer in time means no."""
    request = {
        "operation": "request-approval",
        "token": flow.expression("$states.context.Task.Token"),
        "execution": flow.RUN_ARN,
        "region": flow.document("preconditions.region"),
    }
    return {
        # A run that finishes what another one began needs no approval of its own.
        "ApprovalRequired": {
            "Type": "Choice",
            "Choices": [{"Condition": flow.document("preconditions.resumes"), "Next": following}],
            "Default": "WaitForApproval",
        },
        "WaitForApproval": flow.task(
            args.recovery_arn,
            request,
            keep="approval",
            answer="$states.result",
            following=following,
            seconds=args.approval_seconds,
            resource=flow.INVOKE_AND_WAIT,
            # Not after a timeout: operators would get a new request all day.
            retry=[{"ErrorEquals": list(flow.LAMBDA_FAULTS), "IntervalSeconds": 2, "MaxAttempts": 5, "BackoffRate": 2}],
        ),
    }


def _change_of_writer(args: FailoverArgs) -> dict[str, State]:
    """By promotion; or, when an operator leaves a healthy region, by a switchover without loss."""
    return {
        "ChooseWriterChange": {
            "Type": "Choice",
            "Choices": [
                {"Condition": flow.expression('$states.input.preconditions.mode = "planned"'), "Next": "Switch"}
            ],
            "Default": "Promote",
        },
        "Promote": flow.recovery_task(
            args.recovery_arn, "promote", {}, keep="change", following="DescribeWriter", tries=8
        ),
        "Switch": flow.recovery_task(
            args.recovery_arn,
            "switchover",
            {"writer_region": flow.document("preconditions.writer_region")},
            keep="change",
            following="DescribeWriter",
        ),
    }
