"""Least privilege, and services that act for this account only (R14)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from policy.rules import iam
from policy.rules.rows import Rows, of_type, statements
from tests.programs.changes import added, changed, giving
from tests.programs.profiles import DEFAULTS, ENVIRONMENTS, registered

Rule = Callable[[Rows], list[str]]
POLICY = "aws:iam/rolePolicy:RolePolicy"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
EVENTS = {"Service": "events.amazonaws.com"}


def test_every_exception_is_still_used() -> None:
    """One that no one needs any more would let the next policy through unseen."""
    rows = [row for environment in ENVIRONMENTS for row in registered(environment)]
    found = [
        (row["type"], each)
        for token, (path, _) in iam.DOCUMENTS.items()
        for row in of_type(rows, token)
        for each in statements(row["inputs"][path])
    ]
    actions = {action for _, each in found for action in each["Action"] if isinstance(each["Action"], list)}
    services = {
        (token, (each.get("Principal") or {}).get("Service")) for token, each in found if each["Effect"] == "Allow"
    }
    attached = {row["inputs"]["policyArn"].partition("policy/")[2] for row in of_type(rows, iam.ATTACHMENT)}

    assert set(iam.ANY_RESOURCE) | set(iam.ANY_OF_A_KIND) <= actions
    assert set(iam.RESOURCE_POLICY_WITHOUT_SOURCE) <= services
    assert {(iam.ROLE, service) for service in iam.TRUST_WITHOUT_SOURCE} <= services
    assert attached == set(iam.MANAGED)


def allowing(action: object, resource: object, **more: object) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trusting(principal: object, **more: object) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/t"


@pytest.mark.parametrize(
    ("rule", "token", "name", "path", "value"),
    [
        (iam.wildcard_action_denied, POLICY, "payments-policy", "policy", allowing("dynamodb:*", TABLE)),
        (
            iam.wildcard_action_denied,
            POLICY,
            "payments-policy",
            "policy",
            allowing(["sqs:SendMessage", "s3:Get*"], TABLE),
        ),
        (iam.wildcard_action_denied, POLICY, "payments-policy", "policy", allowing("*", TABLE)),
        (
            iam.wildcard_action_denied,
            BUCKET_POLICY,
            "bucket-tls-only",
            "policy",
            allowing("s3:*", TABLE, Principal=EVENTS),
        ),
        (iam.wildcard_action_denied, iam.KEY, "data-key", "policy", allowing("kms:*", "*", Principal=EVENTS)),
        (iam.wildcard_action_denied, iam.KEY, "data-key", "policy", allowing("kms:*", "*", Principal={"AWS": "*"})),
        (
            iam.wildcard_action_denied,
            POLICY,
            "payments-policy",
            "policy",
            allowing([], TABLE, NotAction="iam:PassRole"),
        ),
        (iam.wildcard_resource_denied, POLICY, "payments-policy", "policy", allowing("dynamodb:PutItem", "*")),
        (
            iam.wildcard_resource_denied,
            POLICY,
            "payments-policy",
            "policy",
            allowing("dynamodb:PutItem", ["arn:aws:*"]),
        ),
        (
            iam.wildcard_resource_denied,
            POLICY,
            "payments-policy",
            "policy",
            allowing("s3:GetObject", "arn:aws:s3:::*/*"),
        ),
        (
            iam.wildcard_resource_denied,
            POLICY,
            "payments-policy",
            "policy",
            allowing(["xray:PutTraceSegments", "kms:Decrypt"], "arn:aws:kms:us-east-1:000000000000:key/*"),
        ),
        (iam.role_trust_restricted, iam.ROLE, "payments-role", "assumeRolePolicy", trusting({"AWS": "000000000000"})),
        (iam.role_trust_restricted, iam.ROLE, "payments-role", "assumeRolePolicy", trusting("*")),
        (
            iam.role_trust_restricted,
            iam.ROLE,
            "payments-role",
            "assumeRolePolicy",
            trusting({"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]}),
        ),
        (
            iam.role_trust_restricted,
            iam.ROLE,
            "flow-logs-role",
            "assumeRolePolicy",
            trusting({"Service": "vpc-flow-logs.amazonaws.com"}),
        ),
        (
            iam.service_principal_source_required,
            TOPIC_POLICY,
            "topic-publishers",
            "policy",
            allowing("sns:Publish", TABLE, Principal={"Service": "cloudwatch.amazonaws.com"}),
        ),
        (
            iam.service_principal_source_required,
            "aws:sqs/queuePolicy:QueuePolicy",
            "dead-letters-senders",
            "policy",
            allowing("sqs:SendMessage", TABLE, Principal=EVENTS, Condition={"ArnLike": {"aws:SourceArn": "*"}}),
        ),
        (
            iam.managed_policy_unlisted,
            iam.ATTACHMENT,
            "backup-backup",
            "policyArn",
            "arn:aws:iam::aws:policy/PowerUserAccess",
        ),
        (iam.permission_source_required, iam.PERMISSION, "api-api", "sourceArn", None),
        (iam.permission_source_required, iam.PERMISSION, "api-api", "principal", "*"),
        (iam.policy_unchecked, iam.ROLE, "payments-role", "inlinePolicies", [{"name": "more", "policy": "{}"}]),
    ],
)
def test_more_than_needed_is_refused(rule: Rule, token: str, name: str, path: str, value: Any) -> None:
    (violation,) = rule(changed(registered(DEFAULTS), token, name, giving(path, value=value)))

    assert f"{token} {name}" in violation


def test_a_policy_where_no_rule_reads_it_is_refused() -> None:
    rows = added(registered(DEFAULTS), "aws:sqs/queue:Queue", "other", policy=allowing("sqs:*", "*", Principal="*"))

    (violation,) = iam.policy_unchecked(rows)
    assert "aws:sqs/queue:Queue other has a policy in policy" in violation
