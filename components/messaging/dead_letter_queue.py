"""SQS dead-letter queue: messages that could not be delivered or handled, to be inspected and sent again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import iam
from components.iam import tls_only

# 14 days, the longest that SQS keeps a message (API SQS.SetQueueAttributes, MessageRetentionPeriod).
RETENTION_SECONDS = 14 * 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class DeadLetterQueueArgs:
    name: str
    key_arn: pulumi.Input[str]
    event_sources: Sequence[pulumi.Input[str]] = ()
    """ARNs of the EventBridge rules and buses that send here. Functions and queues send under roles of their own."""


class DeadLetterQueue(pulumi.ComponentResource):
    """A queue for dead letters. Its alarm: DEAD_LETTER_QUEUE in `components.monitoring.catalogue_compute`."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]
    url: pulumi.Output[str]

    def __init__(self, name: str, args: DeadLetterQueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:dead_letter_queue:DeadLetterQueue", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        queue = aws.sqs.Queue(
            f"{name}-queue",
            name=args.name,
            message_retention_seconds=RETENTION_SECONDS,
            kms_master_key_id=args.key_arn,
            opts=child,
        )
        aws.sqs.QueuePolicy(
            f"{name}-senders",
            queue_url=queue.url,
            policy=iam.document(_statements(queue.arn, args.event_sources)),
            opts=child,
        )
        self.arn, self.name, self.url = queue.arn, queue.name, queue.url
        self.register_outputs({"arn": self.arn, "name": self.name})


def _statements(queue_arn: pulumi.Output[str], event_sources: Sequence[pulumi.Input[str]]) -> list[dict[str, Any]]:
    statements = [tls_only("sqs:*", [queue_arn])]
    if event_sources:
        # Dead letters of rules [EVENTS-8] and of the bus [EVENTS-9].
        events = iam.allow(
            ["sqs:SendMessage"], [queue_arn], condition={"ArnEquals": {"aws:SourceArn": list(event_sources)}}
        )
        statements.append({"Sid": "Events", "Principal": {"Service": "events.amazonaws.com"}, **events})
    return statements
