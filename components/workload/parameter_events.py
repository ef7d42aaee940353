"""EventBridge rules that send changes of the shared parameters to a queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import iam
from components.iam import tls_only
from components.workload.context import FunctionContext

STAMP = "dr:common"
"""The tag that our own function writes (functions/parameter_sync/parameter.py)."""


@dataclass(frozen=True, kw_only=True)
class EventRule:
    name: str
    description: str
    pattern: Mapping[str, Any]


def event_rules(context: FunctionContext) -> dict[str, EventRule]:
    """The rules by role. An event of either kind names one resource, so that the two conditions on it, one on the name
    and one on the ARN, both hold [EVENTS-12]."""
    names = context.names
    return {
        "changes": EventRule(
            name=names.regional("rule-parameters", context.place),
            description="Changes of parameters, but for the region's own",
            pattern={
                "source": ["aws.ssm"],
                "detail-type": ["Parameter Store Change"],
                "detail": {"name": [{"prefix": f"{names.parameters}/"}]},
                "resources": [{"anything-but": {"prefix": context.arn("ssm", f"parameter{names.own_parameters}/")}}],
            },
        ),
        "tags": EventRule(
            name=names.regional("rule-parameter-tags", context.place),
            description="Changes of parameters' tags, but for our own",
            pattern={
                "source": ["aws.tag"],
                "detail-type": ["Tag Change on Resource"],
                "detail": {"service": ["ssm"], "changed-tag-keys": [{"anything-but": [STAMP]}]},
                "resources": [{"prefix": context.arn("ssm", f"parameter{names.parameters}/")}],
            },
        ),
    }


def rule_arns(context: FunctionContext) -> list[pulumi.Output[str]]:
    """The ARNs that the rules will have: for policies that must stand before the rules do."""
    return [context.arn("events", f"rule/{rule.name}") for rule in event_rules(context).values()]


class ParameterEvents(pulumi.ComponentResource):
    """The rules, on the default bus, where AWS's own events arrive. Delivery is best effort [EVENTS-13]."""

    def __init__(
        self,
        name: str,
        context: FunctionContext,
        *,
        queue_url: pulumi.Input[str],
        queue_arn: pulumi.Input[str],
        dead_letter_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dr:parameters:ParameterEvents", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        from_rules = {"ArnEquals": {"aws:SourceArn": rule_arns(context)}}
        events = iam.allow(["sqs:SendMessage"], [queue_arn], condition=from_rules)
        policy = aws.sqs.QueuePolicy(
            f"{name}-senders",
            queue_url=queue_url,
            policy=iam.document(
                [
                    tls_only("sqs:*", [queue_arn]),
                    {"Sid": "Events", "Principal": {"Service": "events.amazonaws.com"}, **events},
                ]
            ),
            opts=child,
        )
        for role, given in event_rules(context).items():
            rule = aws.cloudwatch.EventRule(
                f"{name}-{role}",
                name=given.name,
                description=given.description,
                event_pattern=pulumi.Output.json_dumps(given.pattern, sort_keys=True),
                opts=child,
            )
            aws.cloudwatch.EventTarget(
                f"{name}-{role}-queue",
                rule=rule.name,
                arn=queue_arn,
                retry_policy={"maximum_event_age_in_seconds": 3600, "maximum_retry_attempts": 20},
                dead_letter_config={"arn": dead_letter_arn},
                opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
            )
        self.register_outputs({})
