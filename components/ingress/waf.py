"""AWS WAF web ACL for one of a region's endpoints."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from shared import client_keys

# What a rate limit counts by. Behind the accelerator, which hides its clients' addresses from us, all of them share
# those of its edge servers [GA-7]: only what they send distinguishes them.
CountBy = Literal["address", "client-key"]

# Headers with credentials must not be in a log. WAF requires them in lower case.
CREDENTIAL_HEADERS = (client_keys.HEADER, "authorization")
_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9-]+)+")
# Seconds over which a rate limit counts (API WAFV2.RateBasedStatement.EvaluationWindowSec).
WINDOW = 300
# Requests in a window below which health checkers would count as abuse. A Route 53 checker probes each endpoint every
# 10 seconds at most [R53-5], so 30 times a window; the rest is for environments that share checkers.
LEAST_LIMIT = 300
MANAGED_GROUPS = (
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesCommonRuleSet",
)
"""In the order of evaluation, the smallest first. None is of the kind that costs a fee of its own (API
WAFV2.ManagedRuleGroupStatement)."""
COUNTED = {"AWSManagedRulesCommonRuleSet": ("NoUserAgent_HEADER",)}
"""Rules of these groups that count instead of blocking: clients are programs, and the API's document asks for no
User-Agent."""


@dataclass(frozen=True, kw_only=True)
class WebAclLogs:
    key_arn: pulumi.Input[str]
    retention_days: int


@dataclass(frozen=True, kw_only=True)
class WebAclArgs:
    name: str
    protects: Mapping[str, pulumi.Input[str]]  # ARN of an API stage or an ALB, by what it is
    health_paths: Sequence[str]  # as the firewall receives them: an API's own address carries its stage in front
    count_by: CountBy
    rate_limit: int  # requests in five minutes by one client
    logs: WebAclLogs | None

    def __post_init__(self) -> None:
        if self.rate_limit < LEAST_LIMIT:
            raise ValueError(
                f"web ACL {self.name} lets {self.rate_limit} requests through in five minutes; health checkers need "
                f"{LEAST_LIMIT} or more"
            )
        if not self.health_paths:
            raise ValueError(f"web ACL {self.name} has no health paths; the firewall would block its health checks")


class WebAcl(pulumi.ComponentResource):
    """A REGIONAL web ACL: health checks pass, clients that exceed their rate wait, what AWS lists as bad is blocked,
    the rest passes. Who may do what is decided behind it."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: WebAclArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:web_acl:WebAcl", name, None, opts)
        self._prefix, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        acl = aws.wafv2.WebAcl(
            f"{name}-acl",
            name=args.name,
            scope="REGIONAL",
            default_action={"allow": {}},
            rules=rules(args.health_paths, args.count_by, args.rate_limit),
            visibility_config=_visibility(args.name),
            opts=self._child,
        )
        for what, arn in args.protects.items():
            aws.wafv2.WebAclAssociation(f"{name}-{what}", resource_arn=arn, web_acl_arn=acl.arn, opts=self._child)
        if args.logs is not None:
            self._log(acl, args.logs)
        self.arn = acl.arn
        self.register_outputs({"arn": self.arn})

    def _log(self, acl: aws.wafv2.WebAcl, logs: WebAclLogs) -> None:
        """Only what was blocked: what passed is in the access logs of the endpoint."""
        group = aws.cloudwatch.LogGroup(
            f"{self._prefix}-logs",
            # WAF writes only to names that begin so (API WAFV2.PutLoggingConfiguration).
            name=f"aws-waf-logs-{self._args.name}",
            retention_in_days=logs.retention_days,
            kms_key_id=logs.key_arn,
            opts=self._child,
        )
        aws.wafv2.WebAclLoggingConfiguration(
            f"{self._prefix}-logs",
            resource_arn=acl.arn,
            log_destination_configs=[group.arn],
            redacted_fields=[{"single_header": {"name": header}} for header in CREDENTIAL_HEADERS],
            logging_filter={
                "default_behavior": "DROP",
                "filters": [
                    {
                        "behavior": "KEEP",
                        "requirement": "MEETS_ANY",
                        "conditions": [{"action_condition": {"action": "BLOCK"}}],
                    }
                ],
            },
            opts=self._child,
        )


def rules(health_paths: Sequence[str], count_by: CountBy, rate_limit: int) -> list[aws.wafv2.WebAclRuleArgsDict]:
    """The rules in order. The rate limit comes first and counts health requests too, so that the free way through for
    them is not one for a flood."""
    return [
        _rate_limit(0, count_by, rate_limit),
        _health(1, health_paths),
        *(_managed(2 + index, group) for index, group in enumerate(MANAGED_GROUPS)),
    ]


def _rate_limit(priority: int, count_by: CountBy, limit: int) -> aws.wafv2.WebAclRuleArgsDict:
    counted: aws.wafv2.WebAclRuleStatementRateBasedStatementArgsDict = {
        "limit": limit,
        "evaluation_window_sec": WINDOW,
        "aggregate_key_type": "IP",
    }
    if count_by == "client-key":
        # A request without the header is not counted; it gets no further than the check of the key behind us.
        plain: aws.wafv2.WebAclRuleStatementRateBasedStatementCustomKeyHeaderTextTransformationArgsDict = {
            "priority": 0,
            "type": "NONE",
        }
        counted["aggregate_key_type"] = "CUSTOM_KEYS"
        counted["custom_keys"] = [{"header": {"name": client_keys.HEADER, "text_transformations": [plain]}}]
    return {
        "name": "rate-limit",
        "priority": priority,
        "action": {"block": {"custom_response": {"response_code": 429}}},
        "statement": {"rate_based_statement": counted},
        "visibility_config": _visibility("rate-limit"),
    }


def _health(priority: int, paths: Sequence[str]) -> aws.wafv2.WebAclRuleArgsDict:
    """GET on exactly these paths passes regardless of the managed rules: the client may be any of Route 53's
    health checkers [R53-5] or the NLB."""
    is_get: aws.wafv2.WebAclRuleStatementArgsDict = {
        "byte_match_statement": {
            "field_to_match": {"method": {}},
            "positional_constraint": "EXACTLY",
            "search_string": "GET",
            "text_transformations": [{"priority": 0, "type": "NONE"}],
        }
    }
    # One regular expression, which fits one path as well as several.
    is_health: aws.wafv2.WebAclRuleStatementArgsDict = {
        "regex_match_statement": {
            "field_to_match": {"uri_path": {}},
            "regex_string": path_pattern(paths),
            "text_transformations": [{"priority": 0, "type": "NONE"}],
        }
    }
    return {
        "name": "health-checks",
        "priority": priority,
        "action": {"allow": {}},
        "statement": {"and_statement": {"statements": [is_get, is_health]}},
        "visibility_config": _visibility("health-checks"),
    }


def path_pattern(paths: Sequence[str]) -> str:
    """A regular expression that matches exactly these paths. Raises ValueError for a path that is not a plain one."""
    if odd := [
        path for path in paths if not path.startswith("/") or not path.replace("/", "").replace("-", "").isalnum()
    ]:
        raise ValueError(f"health path {', '.join(odd)} is not plain; use letters, digits, dashes and slashes")
    return f"^({'|'.join(paths)})$"


def _managed(priority: int, group: str) -> aws.wafv2.WebAclRuleArgsDict:
    return {
        "name": group,
        "priority": priority,
        "override_action": {"none": {}},
        "statement": {
            "managed_rule_group_statement": {
                "vendor_name": "AWS",
                "name": group,
                "rule_action_overrides": [
                    {"name": rule, "action_to_use": {"count": {}}} for rule in COUNTED.get(group, ())
                ],
            }
        },
        "visibility_config": _visibility(group),
    }


def _visibility(metric: str) -> aws.wafv2.WebAclRuleVisibilityConfigArgsDict:
    # Samples show whole headers in the console, credentials among them.
    return {"cloudwatch_metrics_enabled": True, "metric_name": metric, "sampled_requests_enabled": False}
