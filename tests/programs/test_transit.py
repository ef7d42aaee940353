"""Nothing is reached, probed or published without TLS (R6)."""

from collections.abc import Callable
from typing import Any

import pytest

from policy.rules import transit
from policy.rules.rows import Rows
from tests.programs.changes import added, changed, giving
from tests.programs.profiles import DEFAULTS, registered

Rule = Callable[[Rows], list[str]]
HEALTH_CHECK = "aws:route53/healthCheck:HealthCheck"
ACCELERATOR = "aws:globalaccelerator/listener:Listener"


@pytest.mark.parametrize(
    ("rule", "token", "name", "path", "value"),
    [
        (transit.listener_tls, transit.LISTENER, "front-door-alb", ["protocol"], "HTTP"),
        (transit.listener_tls, transit.LISTENER, "front-door-alb", ["sslPolicy"], "ELBSecurityPolicy-2016-08"),
        (transit.listener_tls, transit.LISTENER, "front-door-alb", ["certificateArn"], None),
        (
            transit.listener_tls,
            transit.LISTENER,
            "front-door-nlb",
            ["defaultActions"],
            [{"targetGroupArn": "arn:x"}],
        ),
        (transit.health_check_tls, transit.TARGETS, "front-door-alb", ["healthCheck", "protocol"], "HTTP"),
        (transit.health_check_tls, HEALTH_CHECK, "dns-nlb-primary", ["type"], "TCP"),
        (transit.accelerator_port_443, ACCELERATOR, "accelerator-https", ["portRanges", "fromPort"], 80),
        (transit.database_tls_required, "aws:rds/cluster:Cluster", "database-primary", ["engine"], "aurora-mysql"),
        (
            transit.database_tls_required,
            "aws:rds/cluster:Cluster",
            "database-secondary",
            ["dbClusterParameterGroupName"],
            None,
        ),
    ],
)
def test_what_speaks_in_clear_is_refused(rule: Rule, token: str, name: str, path: list[str], value: Any) -> None:
    (violation,) = rule(changed(registered(DEFAULTS), token, name, giving(*path, value=value)))

    assert f"{token} {name}" in violation


@pytest.mark.parametrize(
    ("guarded", "policy"),
    [
        ("aws:s3/bucket:Bucket bucket-bucket", "bucket-tls-only"),
        ("aws:s3/bucket:Bucket log-bucket-bucket", "log-bucket-delivery"),
        ("aws:sns/topic:Topic topic-topic", "topic-publishers"),
        ("aws:sqs/queue:Queue dead-letters-queue", "dead-letters-senders"),
    ],
)
def test_what_does_not_refuse_plain_http_is_refused(guarded: str, policy: str) -> None:
    without = [row for row in registered(DEFAULTS) if row["name"] != policy]
    token = next(row["type"] for row in registered(DEFAULTS) if row["name"] == policy)
    allowing = changed(registered(DEFAULTS), token, policy, giving("policy", value='{"Statement": []}'))

    assert [guarded in each for each in transit.resource_policy_tls_required(without)] == [True, True], (
        "one in each region"
    )
    assert [guarded in each for each in transit.resource_policy_tls_required(allowing)] == [True]


def test_a_policy_that_refuses_http_for_the_bucket_but_not_its_objects_is_refused() -> None:
    rows = registered(DEFAULTS)
    policy = next(row for row in rows if row["name"] == "bucket-tls-only")["inputs"]["policy"]
    half = policy.replace(', "arn:aws:s3:::bucket-primary-test-000000000000/*"', "")
    assert half != policy

    (violation,) = transit.resource_policy_tls_required(
        changed(rows, "aws:s3/bucketPolicy:BucketPolicy", "bucket-tls-only", giving("policy", value=half))
    )
    assert "bucket-bucket" in violation


@pytest.mark.parametrize(
    ("rule", "token", "inputs"),
    [
        (transit.api_domain_tls, "aws:apigateway/domainName:DomainName", {"securityPolicy": "TLS_1_0"}),
        (transit.api_domain_tls, "aws:apigateway/domainName:DomainName", {}),
        (transit.subscription_https, "aws:sns/topicSubscription:TopicSubscription", {"protocol": "http"}),
    ],
)
def test_what_these_environments_do_not_have_is_refused_all_the_same(
    rule: Rule, token: str, inputs: dict[str, Any]
) -> None:
    (violation,) = rule(added(registered(DEFAULTS), token, "one", **inputs))

    assert f"{token} one" in violation
