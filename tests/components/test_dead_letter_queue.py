"""A dead-letter queue."""

from collections.abc import Callable, Sequence

import pulumi
import pulumi_aws as aws

from components.messaging.dead_letter_queue import DeadLetterQueue, DeadLetterQueueArgs
from tests.components.documents import allowed_to, refuses_plain_http, statements
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
KEY = "arn:aws:kms:us-east-1:000000000000:key/data"
RULE = "arn:aws:events:us-east-1:000000000000:rule/parameters"


def queue(event_sources: Sequence[str] = ()) -> Callable[[], None]:
    def program() -> None:
        provider = aws.Provider("primary", region="us-east-1")
        args = DeadLetterQueueArgs(name="queue-dead-primary-dev", key_arn=KEY, event_sources=event_sources)
        DeadLetterQueue("dead", args, opts=pulumi.ResourceOptions(providers=[provider]))

    return program


def test_messages_are_kept_for_14_days_under_our_key(build: Build) -> None:
    made = build(queue()).one("aws:sqs/queue:Queue").inputs

    assert made["messageRetentionSeconds"] == 1_209_600
    assert made["kmsMasterKeyId"] == KEY


def test_plain_http_is_refused(build: Build) -> None:
    assert refuses_plain_http(statements(build(queue()), "aws:sqs/queuePolicy:QueuePolicy"), "sqs:*")


def test_only_the_rules_that_are_named_may_send(build: Build) -> None:
    (allowed,) = allowed_to("events.amazonaws.com", statements(build(queue([RULE])), "QueuePolicy"))

    assert allowed["Action"] == ["sqs:SendMessage"]
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": [RULE]}}


def test_without_rules_the_policy_lets_no_service_in(build: Build) -> None:
    assert [each["Effect"] for each in statements(build(queue()), "QueuePolicy")] == ["Deny"]
