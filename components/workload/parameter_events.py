"""What Parameter Store tells of the parameters that both regions have, into a queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import iam
from components.iam import tls_only

STAMP = "dr:common"
"""The tag that our own function writes (functions/parameter_sync/parameter.py)."""


@dataclass(frozen=True, kw_only=True)
class ParameterEventsArgs:
    name: str  # of the rule for changes of parameters
    tags_name: str  # of the rule for changes of their tags
    region: str
    account: pulumi.Input[str]
    prefix: str
    private_prefix: str

    @property
    def rule_arns(self) -> list[pulumi.Output[str]]:
        """As they will be: for policies that must stand before the rules do."""
        return [self.arn("events", f"rule/{name}") for name in (self.name, self.tags_name)]

    def arn(self, service: str, resource: str) -> pulumi.Output[str]:
        return pulumi.Output.concat(f"arn:aws:{service}:{self.region}:", self.account, f":{resource}")

    def patterns(self) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
        """Rule's name to what it is for and its pattern. An event of either kind names one resource, so that the two
        conditions on it, one on the name and one on the ARN, both hold [EVENTS-12]."""
        ours = self.arn("ssm", f"parameter{self.prefix}/")
        private = self.arn("ssm", f"parameter{self.private_prefix}/")
        return {
            self.name: (
                "Changes of parameters, but for the region's own",
                {
                    "source": ["aws.ssm"],
                    "detail-type": ["Parameter Store Change"],
                    "detail": {"name": [{"prefix": f"{self.prefix}/"}]},
                    "resources": [{"anything-but": {"prefix": private}}],
                },
            ),
            self.tags_name: (
                "Changes of parameters' tags, but for our own",
                {
                    "source": ["aws.tag"],
                    "detail-type": ["Tag Change on Resource"],
                    "detail": {"service": ["ssm"], "changed-tag-keys": [{"anything-but": [STAMP]}]},
                    "resources": [{"prefix": ours}],
                },
            ),
        }


class ParameterEvents(pulumi.ComponentResource):
    """The rules, on the default bus, where AWS's own events arrive. Delivery is best effort [EVENTS-13]."""

    def __init__(
        self,
        name: str,
        args: ParameterEventsArgs,
        *,
        queue_url: pulumi.Input[str],
        queue_arn: pulumi.Input[str],
        dead_letter_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dr:parameters:ParameterEvents", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        events = iam.allow(["sqs:SendMessage"], [queue_arn], condition={"ArnEquals": {"aws:SourceArn": args.rule_arns}})
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
        for role, (rule_name, (description, pattern)) in zip(("changes", "tags"), args.patterns().items(), strict=True):
            rule = aws.cloudwatch.EventRule(
                f"{name}-{role}",
                name=rule_name,
                description=description,
                event_pattern=pulumi.Output.json_dumps(pattern, sort_keys=True),
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
