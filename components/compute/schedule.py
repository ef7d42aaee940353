"""An EventBridge Scheduler schedule that invokes a function; accurate to the minute [SCHEDULER-1]."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import iam


@dataclass(frozen=True, kw_only=True)
class ScheduledCallArgs:
    name: str  # of the schedule
    role_name: str
    description: str
    expression: str  # rate(…) or cron(…), in UTC
    region: str
    account: pulumi.Input[str]
    function_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    dead_letter_arn: pulumi.Input[str]
    payload: Mapping[str, Any] | None = None
    """The event that the function gets; by default the Scheduler's own."""
    retries: int = 0
    retry_seconds: int = 60
    """A call that is older than this is given up and goes to the dead-letter queue."""


class ScheduledCall(pulumi.ComponentResource):
    """The schedule, and the role by which it may call that one function."""

    def __init__(
        self,
        name: str,
        args: ScheduledCallArgs,
        *,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`after`: what the function needs before its first call."""
        super().__init__("dr:schedule:ScheduledCall", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # A schedule is known to IAM by its group [SCHEDULER-2].
        group = pulumi.Output.concat(f"arn:aws:scheduler:{args.region}:", args.account, ":schedule-group/default")
        role, policy = iam.service_role(
            name,
            name=args.role_name,
            trust=iam.trust_for("scheduler.amazonaws.com", account=args.account, source=group),
            statements=lambda _: [
                iam.allow(["lambda:InvokeFunction"], [args.function_arn]),
                iam.allow(["sqs:SendMessage"], [args.dead_letter_arn]),
                iam.allow(["kms:Decrypt", "kms:GenerateDataKey"], [args.key_arn]),
            ],
            opts=child,
        )
        aws.scheduler.Schedule(
            f"{name}-schedule",
            name=args.name,
            description=args.description,
            schedule_expression=args.expression,
            flexible_time_window={"mode": "OFF"},
            kms_key_arn=args.key_arn,
            target={
                "arn": args.function_arn,
                "role_arn": role.arn,
                "input": None if args.payload is None else json.dumps(dict(args.payload), sort_keys=True),
                "retry_policy": {
                    "maximum_event_age_in_seconds": args.retry_seconds,
                    "maximum_retry_attempts": args.retries,
                },
                "dead_letter_config": {"arn": args.dead_letter_arn},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy, *after]),
        )
        self.register_outputs({})
