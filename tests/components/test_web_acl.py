"""The web ACL of an endpoint: what it blocks, what it must let pass, what it logs."""

import re
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.ingress.waf import CountBy, WebAcl, WebAclArgs, WebAclLogs, path_pattern
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
KEY = "arn:aws:kms:us-east-1:000000000000:key/1"


def arguments(**given: Any) -> WebAclArgs:
    chosen: dict[str, Any] = {"count_by": "address", "rate_limit": 2000, "logs": None} | given
    return WebAclArgs(
        name="acl-api-primary-dev",
        protects={"api": "arn:aws:apigateway:us-east-1::/restapis/api-1/stages/live", "alb": "arn:alb"},
        health_paths=chosen.pop("health_paths", ["/health", "/live/health"]),
        **chosen,
    )


def acl(args: WebAclArgs) -> Callable[[], object]:
    def program() -> None:
        provider = aws.Provider("primary", region="us-east-1")
        WebAcl("firewall", args, opts=pulumi.ResourceOptions(providers=[provider]))

    return program


def rules(built: Built) -> dict[str, dict[str, Any]]:
    """In the order of their priorities."""
    return {
        each["name"]: each
        for each in sorted(built.one("aws:wafv2/webAcl:WebAcl").inputs["rules"], key=lambda each: each["priority"])
    }


def test_both_endpoints_are_protected_by_a_regional_acl(build: Build) -> None:
    built = build(acl(arguments()))

    assert built.one("aws:wafv2/webAcl:WebAcl").inputs["scope"] == "REGIONAL"
    assert {each.inputs["resourceArn"] for each in built.all("WebAclAssociation")} == set(arguments().protects.values())
    assert {each.inputs["webAclArn"] for each in built.all("WebAclAssociation")} == {"arn:aws:test:::firewall-acl"}


def test_rules_are_asked_one_by_one_and_the_flood_is_stopped_first(build: Build) -> None:
    found = rules(build(acl(arguments())))

    assert list(found) == [
        "rate-limit",
        "health-checks",
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesCommonRuleSet",
    ]
    assert len({each["priority"] for each in found.values()}) == len(found)


def test_managed_rules_block_and_do_not_only_count(build: Build) -> None:
    managed = [each for name, each in rules(build(acl(arguments()))).items() if name.startswith("AWS")]

    assert all(each["overrideAction"] == {"none": {}} for each in managed)
    assert all(each["statement"]["managedRuleGroupStatement"]["vendorName"] == "AWS" for each in managed)


def test_a_client_without_a_user_agent_is_counted_and_not_blocked(build: Build) -> None:
    found = rules(build(acl(arguments())))

    assert {
        name: each["statement"]["managedRuleGroupStatement"]["ruleActionOverrides"]
        for name, each in found.items()
        if each["statement"].get("managedRuleGroupStatement", {}).get("ruleActionOverrides")
    } == {"AWSManagedRulesCommonRuleSet": [{"name": "NoUserAgent_HEADER", "actionToUse": {"count": {}}}]}


def test_health_checks_pass_before_any_managed_rule_judges_them(build: Build) -> None:
    rule = rules(build(acl(arguments())))["health-checks"]
    method, path = rule["statement"]["andStatement"]["statements"]

    assert rule["action"] == {"allow": {}}
    assert method["byteMatchStatement"]["searchString"] == "GET"
    assert method["byteMatchStatement"]["positionalConstraint"] == "EXACTLY"
    pattern = path["regexMatchStatement"]["regexString"]
    assert all(re.search(pattern, healthy) for healthy in ("/health", "/live/health"))
    assert not [odd for odd in ("/health/x", "/payments/health", "/healthy", "/payments") if re.search(pattern, odd)]


@pytest.mark.parametrize(
    ("count_by", "expected"),
    [
        ("address", {"aggregateKeyType": "IP"}),
        (
            "client-key",
            {
                "aggregateKeyType": "CUSTOM_KEYS",
                "customKeys": [
                    {"header": {"name": "x-api-key", "textTransformations": [{"priority": 0, "type": "NONE"}]}}
                ],
            },
        ),
    ],
)
def test_a_client_over_its_rate_gets_429(build: Build, count_by: CountBy, expected: dict[str, Any]) -> None:
    rule = rules(build(acl(arguments(count_by=count_by))))["rate-limit"]

    assert rule["statement"]["rateBasedStatement"] == {"limit": 2000, "evaluationWindowSec": 300} | expected
    assert rule["action"] == {"block": {"customResponse": {"responseCode": 429}}}


def test_logs_hold_what_was_blocked_and_no_credentials(build: Build) -> None:
    built = build(acl(arguments(logs=WebAclLogs(key_arn=KEY, retention_days=30))))
    group, logging = built.one("LogGroup").inputs, built.one("WebAclLoggingConfiguration").inputs

    assert group["name"].startswith("aws-waf-logs-")
    assert (group["kmsKeyId"], group["retentionInDays"]) == (KEY, 30)
    assert {each["singleHeader"]["name"] for each in logging["redactedFields"]} == {"x-api-key", "authorization"}
    assert logging["loggingFilter"]["defaultBehavior"] == "DROP"
    (kept,) = logging["loggingFilter"]["filters"]
    assert kept["conditions"] == [{"actionCondition": {"action": "BLOCK"}}]


def test_without_logging_nothing_is_kept_anywhere(build: Build) -> None:
    built = build(acl(arguments()))
    shown = [
        built.one("aws:wafv2/webAcl:WebAcl").inputs["visibilityConfig"],
        *(each["visibilityConfig"] for each in rules(built).values()),
    ]

    assert not built.all("LogGroup")
    assert not [each for each in shown if each["sampledRequestsEnabled"]], "samples show headers, keys among them"


@pytest.mark.parametrize(
    ("given", "reason"), [({"rate_limit": 299}, "health checkers need 300"), ({"health_paths": []}, "no health paths")]
)
def test_a_firewall_that_would_fail_health_checks_is_refused(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        arguments(**given)


@pytest.mark.parametrize("path", ["health", "/he.*lth", "/health|/payments", "/", ""])
def test_a_path_that_is_more_than_itself_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is not plain"):
        path_pattern(["/health", path])
