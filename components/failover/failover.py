"""The failover and failback state machines as data. Both run in the surviving region.

The failover invokes only functions of that region, which never depend on the lost region, nor on the control planes of
Route 53 or Global Accelerator. The failback is started by an operator and loses no data: the writer is switched over,
and traffic returns by health once the fence is gone."""

from components.failover import states as flow
from components.failover import steps
from components.failover.states import State

HOUR = 60 * 60
LIMIT = 24 * HOUR
"""Seconds of a whole run, without the approval. Every step but the replay has limits of its own, far below; a replay
that makes progress is not ended, and what it leaves is posted by the ledger's schedule."""
APPROVAL = 4 * HOUR
REPLAY, REMOTE_REPLAY = 330, 360
"""Seconds of one invocation of the replay: by the ledger itself, longer than its timeout; and by `recovery`, longer
than it waits for the ledger."""


def failover_definition(recovery_arn: str, ledger_arn: str, *, needs_approval: bool) -> str:
    """The definition as JSON."""
    region = flow.document("preconditions.region")
    change = "ChooseWriterChange"
    states = {
        **steps.guard(recovery_arn, "failover", following="OwnRegionFenced"),
        **_override(recovery_arn, following="Fence"),
        "Fence": flow.recovery_task(
            recovery_arn,
            "fence",
            {"region": region, "epoch": flow.document("preconditions.epoch"), "by": flow.RUN_NAME},
            keep="fence",
            following="ApprovalRequired" if needs_approval else change,
        ),
        **(_approval(recovery_arn, following=change) if needs_approval else {}),
        **_change_of_writer(recovery_arn),
        # After a switchover the database separates the two regions: the old member accepts no statement any more.
        **steps.wait_for_writer(
            recovery_arn,
            lost=flow.expression(
                '$states.input.change.method = "switchover" ? null : $states.input.preconditions.region'
            ),
            following="Publish",
        ),
        **steps.publish(recovery_arn, following="Replay"),
        **steps.replay(ledger_arn, recovery_arn, {}, seconds=REPLAY, following="Measure"),
        **steps.ending(
            recovery_arn,
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
    seconds = LIMIT + (APPROVAL if needs_approval else 0)
    return flow.machine("Takes over from a lost region", states, start="CheckPreconditions", seconds=seconds)


def _override(recovery_arn: str, *, following: str) -> dict[str, State]:
    """Lifts the own fence; only a forced failover gets here with one."""
    given = {"epoch": flow.document("preconditions.own_epoch"), "by": flow.document("preconditions.by")}
    return {
        "OwnRegionFenced": {
            "Type": "Choice",
            "Choices": [{"Condition": flow.document("preconditions.own_fenced"), "Next": "OverrideFence"}],
            "Default": following,
        },
        "OverrideFence": flow.recovery_task(
            recovery_arn, "override-fence", given, keep="override", following=following
        ),
    }


def _approval(recovery_arn: str, *, following: str) -> dict[str, State]:
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
            recovery_arn,
            request,
            keep="approval",
            answer="$states.result",
            following=following,
            seconds=APPROVAL,
            resource=flow.INVOKE_AND_WAIT,
            # Not after a timeout: operators would get a new request all day.
            retry=[{"ErrorEquals": list(flow.LAMBDA_FAULTS), "IntervalSeconds": 2, "MaxAttempts": 5, "BackoffRate": 2}],
        ),
    }


def _change_of_writer(recovery_arn: str) -> dict[str, State]:
    """Without loss if possible: by a switchover, for a limited time, if the database of the lost region still answers;
    else by promotion. When an operator leaves a healthy region, by a switchover only."""
    after_switchover = '$exists($states.input.change) ? $states.input.change.method = "switchover" : false'
    return {
        "ChooseWriterChange": {
            "Type": "Choice",
            "Choices": [
                {"Condition": flow.expression('$states.input.preconditions.mode = "planned"'), "Next": "Switch"}
            ],
            "Default": "TrySwitchover",
        },
        "TrySwitchover": flow.recovery_task(
            recovery_arn,
            "try-switchover",
            {},
            keep="change",
            following="SwitchoverStarted",
            seconds=30,
            tries=1,
            fallback="Promote",
        ),
        "SwitchoverStarted": {
            "Type": "Choice",
            "Choices": [
                {"Condition": flow.expression('$states.input.change.state = "not-possible"'), "Next": "Promote"},
                {
                    "Condition": flow.expression('$states.input.change.method = "switchover"'),
                    "Next": "DescribeSwitchover",
                },
            ],
            # The writer is here already, or a promotion is in progress.
            "Default": "DescribeWriter",
        },
        "DescribeSwitchover": flow.recovery_task(
            recovery_arn,
            "describe-switchover",
            {"since": flow.document("change.at")},
            keep="switchover",
            following="SwitchoverEnded",
            fallback="Promote",
        ),
        "SwitchoverEnded": {
            "Type": "Choice",
            "Choices": [
                {"Condition": flow.expression('$states.input.switchover.state = "done"'), "Next": "DescribeWriter"},
                {"Condition": flow.expression('$states.input.switchover.state = "given-up"'), "Next": "Promote"},
            ],
            "Default": "WaitForSwitchover",
        },
        "WaitForSwitchover": {"Type": "Wait", "Seconds": flow.WAIT_SECONDS, "Next": "DescribeSwitchover"},
        "Promote": flow.recovery_task(
            recovery_arn,
            "promote",
            {"after_switchover": flow.expression(after_switchover)},
            keep="change",
            following="DescribeWriter",
            # About three minutes: RDS may refuse a promotion until it has ended a switchover.
            tries=12,
        ),
        "Switch": flow.recovery_task(
            recovery_arn,
            "switchover",
            {"writer_region": flow.document("preconditions.writer_region")},
            keep="change",
            following="DescribeWriter",
        ),
    }


def failback_definition(recovery_arn: str) -> str:
    """The definition as JSON."""
    writer_region = flow.document("preconditions.writer_region")
    given = {"region": flow.document("preconditions.region"), "writer_region": writer_region}
    states = {
        **steps.guard(recovery_arn, "failback", following="Preflight"),
        "Preflight": flow.recovery_task(recovery_arn, "preflight", given, keep="preflight", following="Switch"),
        "Switch": flow.recovery_task(
            recovery_arn, "switchover", {"writer_region": writer_region}, keep="change", following="DescribeWriter"
        ),
        **steps.wait_for_writer(recovery_arn, lost=None, following="Publish"),
        **steps.publish(recovery_arn, following="Unfence"),
        "Unfence": flow.recovery_task(
            recovery_arn,
            "unfence",
            {"region": given["region"], "epoch": flow.document("preconditions.epoch"), "by": flow.RUN_NAME},
            keep="unfence",
            following="Replay",
            tries=8,
        ),
        # Replays payments accepted during the switchover, when neither region was allowed to post.
        **steps.replay(
            recovery_arn, recovery_arn, {"writer_region": writer_region}, seconds=REMOTE_REPLAY, following="Measure"
        ),
        **steps.ending(
            recovery_arn,
            "failback",
            {
                "change_requested_at": "change.at",
                "writer_at": "writer.at",
                "published_at": "publish.at",
                "unfenced_at": "unfence.at",
                "replayed_at": "replay.at",
                "verified_at": "verification.at",
            },
        ),
    }
    return flow.machine("Brings a region back that was left", states, start="CheckPreconditions", seconds=LIMIT)
