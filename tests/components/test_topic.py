"""A region's topic: who may publish, and that nobody is kept out without a word."""

from collections.abc import Callable

import pulumi
import pulumi_aws as aws
import pytest

from components.messaging.topic import Topic, TopicArgs
from tests.components.documents import allowed_to, refuses_plain_http, statements
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
KEY = "arn:aws:kms:us-east-1:000000000000:key/data"
TOPIC = "arn:aws:test:::alerts-topic"


def topic(email: str | None = None) -> Callable[[], None]:
    def program() -> None:
        provider = aws.Provider("primary", region="us-east-1")
        args = TopicArgs(name="topic-primary-dev", region="us-east-1", account="000000000000", key_arn=KEY, email=email)
        made = Topic("alerts", args, opts=pulumi.ResourceOptions(providers=[provider]))
        aws.cloudwatch.MetricAlarm(
            "user", comparison_operator="LessThanThreshold", evaluation_periods=1, alarm_actions=[made.arn]
        )

    return program


def test_messages_are_encrypted_with_our_key(build: Build) -> None:
    """SNS's own key would drop the alarms' messages [SNS-2]."""
    assert build(topic()).one("aws:sns/topic:Topic").inputs["kmsMasterKeyId"] == KEY


def test_alarms_of_this_account_and_region_may_publish(build: Build) -> None:
    (allowed,) = allowed_to("cloudwatch.amazonaws.com", statements(build(topic()), "aws:sns/topicPolicy:TopicPolicy"))

    assert allowed["Action"] == ["sns:Publish"]
    assert allowed["Resource"] == [TOPIC]
    assert allowed["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "000000000000"},
        "ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:000000000000:alarm:*"},
    }


@pytest.mark.parametrize("service", ["events.amazonaws.com", "backup.amazonaws.com"])
def test_services_that_send_no_condition_keys_are_not_asked_for_any(build: Build, service: str) -> None:
    """No Condition blocks in topic policies for EventBridge [EVENTS-15], and none known for AWS Backup [BACKUP-7]."""
    (allowed,) = allowed_to(service, statements(build(topic()), "TopicPolicy"))

    assert allowed["Action"] == ["sns:Publish"]
    assert allowed["Resource"] == [TOPIC]
    assert "Condition" not in allowed, "every message would be refused"


def test_plain_http_is_refused(build: Build) -> None:
    assert refuses_plain_http(statements(build(topic()), "TopicPolicy"), "sns:Publish")


def test_who_uses_the_topic_comes_after_its_policy(build: Build) -> None:
    built = build(topic())

    assert built.one("TopicPolicy").urn in built.one("MetricAlarm").dependencies


def test_people_are_subscribed_where_an_address_is_given(build: Build) -> None:
    subscription = build(topic("ops@example.com")).one("aws:sns/topicSubscription:TopicSubscription")

    assert subscription.inputs["protocol"] == "email"
    assert subscription.inputs["endpoint"] == "ops@example.com"
    assert subscription.inputs["topic"] == TOPIC


def test_without_an_address_no_one_is(build: Build) -> None:
    assert build(topic()).all("TopicSubscription") == []
