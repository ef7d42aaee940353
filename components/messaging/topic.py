"""SNS topic for a region's alarm, EventBridge and AWS Backup notifications."""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import iam
from components.iam import tls_only


@dataclass(frozen=True, kw_only=True)
class TopicArgs:
    name: str
    region: str
    account: pulumi.Input[str]
    key_arn: pulumi.Input[str]  # its policy must let the same services use it, else their messages vanish
    email: str | None  # gets a message to confirm first


class Topic(pulumi.ComponentResource):
    """Encrypted with the region's key: with SNS's own one, alarms would be dropped silently [SNS-2]."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]

    def __init__(self, name: str, args: TopicArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:topic:Topic", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        topic = aws.sns.Topic(f"{name}-topic", name=args.name, kms_master_key_id=args.key_arn, opts=child)
        policy = aws.sns.TopicPolicy(
            f"{name}-publishers", arn=topic.arn, policy=iam.document(_statements(topic.arn, args)), opts=child
        )
        if args.email is not None:
            aws.sns.TopicSubscription(
                f"{name}-email", topic=topic.arn, protocol="email", endpoint=args.email, opts=child
            )
        # From the policy, so that publishers depend on it.
        self.arn, self.name = policy.arn, topic.name
        self.register_outputs({"arn": self.arn})


def _statements(topic_arn: pulumi.Output[str], args: TopicArgs) -> list[dict[str, Any]]:
    alarms = pulumi.Output.concat(f"arn:aws:cloudwatch:{args.region}:", args.account, ":alarm:*")
    return [
        # Alarms of this account and region (re:Post, "Why didn't I receive an SNS notification for my CloudWatch
        # alarm trigger?").
        _publisher(
            "Alarms",
            "cloudwatch.amazonaws.com",
            topic_arn,
            {"StringEquals": {"aws:SourceAccount": args.account}, "ArnLike": {"aws:SourceArn": alarms}},
        ),
        # "You can't use Condition blocks in Amazon SNS topic policies for EventBridge" [EVENTS-15]: with one, every
        # event would be rejected, visible in a metric only.
        _publisher("Rules", "events.amazonaws.com", topic_arn, None),
        # AWS Backup notifies topics of its own account only, and no condition key is documented for it [BACKUP-7].
        _publisher("Backups", "backup.amazonaws.com", topic_arn, None),
        # A topic's policy accepts no wildcard that covers actions on other resources than topics.
        tls_only("sns:Publish", [topic_arn]),
    ]


def _publisher(
    sid: str, service: str, topic_arn: pulumi.Output[str], condition: iam.Condition | None
) -> dict[str, Any]:
    statement = iam.allow(["sns:Publish"], [topic_arn], condition=condition)
    return {"Sid": sid, "Principal": {"Service": service}, **statement}
