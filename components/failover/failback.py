"""The failback state machine as data. It runs in the region that survived, and an operator starts it.

No data is lost: the writer is switched over. Traffic returns by health once the fence is gone.
"""

from dataclasses import dataclass

from components.failover import states as flow
from components.failover import steps

HOUR = 60 * 60


@dataclass(frozen=True, kw_only=True)
class FailbackArgs:
    recovery_arn: str
    replay_seconds: int = 360  # longer than `recovery` waits for the ledger
    limit_seconds: int = HOUR


def failback_definition(args: FailbackArgs) -> str:
    """The definition as JSON."""
    writer_region = flow.document("preconditions.writer_region")
    given = {"region": flow.document("preconditions.region"), "writer_region": writer_region}
    states = {
        **steps.guard(args.recovery_arn, "failback", following="Preflight"),
        "Preflight": flow.recovery_task(args.recovery_arn, "preflight", given, keep="preflight", following="Switch"),
        "Switch": flow.recovery_task(
            args.recovery_arn, "switchover", {"writer_region": writer_region}, keep="change", following="DescribeWriter"
        ),
        **steps.wait_for_writer(args.recovery_arn, lost=None, following="Publish"),
        **steps.publish(args.recovery_arn, following="Unfence"),
        "Unfence": flow.recovery_task(
            args.recovery_arn,
            "unfence",
            {"region": given["region"], "epoch": flow.document("preconditions.epoch"), "by": flow.RUN_NAME},
            keep="unfence",
            following="Replay",
            tries=8,
        ),
        # Replays payments accepted during the switchover, when neither region was allowed to post.
        **steps.replay(
            args.recovery_arn, {"writer_region": writer_region}, seconds=args.replay_seconds, following="VerifyPayment"
        ),
        **steps.prove(args.recovery_arn, following="Measure"),
        **steps.ending(
            args.recovery_arn,
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
    return flow.machine(
        "Brings a region back that was left", states, start="CheckPreconditions", seconds=args.limit_seconds
    )
