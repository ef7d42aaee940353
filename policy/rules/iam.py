"""Least privilege in IAM (R14): no wildcard action, no unexplained wildcard resource, roles for AWS services only, and
service principals restricted to this account."""

import re
from collections.abc import Mapping
from typing import Any

from policy.rules.rows import Row, Rows, known_statements, label, listed, of_type, statements

ROLE = "aws:iam/role:Role"
KEY = "aws:kms/key:Key"
PERMISSION = "aws:lambda/permission:Permission"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"

# Inputs that hold a policy, and the kind of policy. One in any other input is rejected until it is listed here.
DOCUMENTS: Mapping[str, tuple[str, str]] = {
    "aws:iam/policy:Policy": ("policy", "identity"),
    "aws:iam/rolePolicy:RolePolicy": ("policy", "identity"),
    ROLE: ("assumeRolePolicy", "trust"),
    KEY: ("policy", "key"),
    "aws:s3/bucketPolicy:BucketPolicy": ("policy", "resource"),
    "aws:sns/topicPolicy:TopicPolicy": ("policy", "resource"),
    "aws:sqs/queuePolicy:QueuePolicy": ("policy", "resource"),
}
# Actions without resource-level permissions: why, and the source.
ANY_RESOURCE: Mapping[str, str] = {
    "xray:PutTraceSegments": "has no resource type (Service Authorization Reference, AWS X-Ray)",
    "xray:PutTelemetryRecords": "has no resource type (Service Authorization Reference, AWS X-Ray)",
    "xray:GetSamplingRules": "has no resource type (Service Authorization Reference, AWS X-Ray)",
    "xray:GetSamplingTargets": "has no resource type (Service Authorization Reference, AWS X-Ray)",
    "ssm:DescribeParameters": "a listing (Service Authorization Reference, AWS Systems Manager)",
    "dynamodb:ListStreams": "a listing (Service Authorization Reference, Amazon DynamoDB)",
    "cloudwatch:GetMetricStatistics": "has no resource type (Service Authorization Reference, Amazon CloudWatch)",
    "cloudwatch:DescribeAlarms": "returns composite alarms only with it (API CloudWatch.DescribeAlarms)",
    "s3:ListAllMyBuckets": "a listing (Service Authorization Reference, Amazon S3)",
    "tag:GetResources": "a listing (Service Authorization Reference, Amazon Resource Group Tagging API)",
    **dict.fromkeys(
        (
            "ec2:DescribeManagedPrefixLists",
            "ec2:DescribeRouteTables",
            "ec2:DescribeVpcEndpoints",
            "ec2:DescribeVpcPeeringConnections",
            "ec2:DescribeVpcs",
        ),
        "a listing (Service Authorization Reference, Amazon EC2)",
    ),
    **dict.fromkeys(
        (
            "logs:CreateLogDelivery",
            "logs:GetLogDelivery",
            "logs:UpdateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:DescribeResourcePolicies",
            "logs:DescribeLogGroups",
        ),
        "log delivery has no resource-level permissions [SFN-2]",
    ),
    **dict.fromkeys(
        (
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
        ),
        "Lambda creates a function's network interfaces under its role, with ids unknown beforehand [LAMBDA-2]",
    ),
}
# Actions that need all resources of one type.
ANY_OF_A_KIND: Mapping[str, str] = {
    "ec2:GetManagedPrefixListEntries": "reads AWS-managed prefix lists, whose ids AWS assigns [FIS-6]",
    "rds:DescribeDBInstances": "FIS may look an instance up by a filter, which IAM evaluates as a listing",
}
# AWS managed policies that are in use: they contain wildcards, and AWS changes them.
MANAGED: Mapping[str, str] = {
    "service-role/AWSBackupServiceRolePolicyForBackup": "[BACKUP-5]",
    "AWSBackupServiceRolePolicyForS3Backup": "[BACKUP-5]",
    "service-role/AWSBackupServiceRolePolicyForRestores": "[BACKUP-5]",
    "AWSBackupServiceRolePolicyForS3Restore": "[BACKUP-5]",
    "service-role/AmazonAPIGatewayPushToCloudWatchLogs": "[APIGW-2]; for the account and region, not for one API",
}
# Services for which AWS documents no source condition in trust policies. iam:PassRole, which passes a role only to
# services of its own account, keeps other accounts' resources from using the role [IAM-2].
TRUST_WITHOUT_SOURCE: Mapping[str, str] = {
    "apigateway.amazonaws.com": "[APIGW-2] requires the bare principal",
    "arc-region-switch.amazonaws.com": "[ARC-3] requires the bare principal",
    "backup.amazonaws.com": "[BACKUP-5] requires the bare principal",
    "events.amazonaws.com": "[EVENTS-16] documents a source for rule targets, none for endpoints",
    "lambda.amazonaws.com": "[LAMBDA-16] requires the bare principal; a source is set when the function runs, not when "
    "Lambda creates its network interfaces",
    "s3.amazonaws.com": "[S3-9] requires the bare principal",
}
# Services that send no source when they use a resource, by the type that holds the policy.
RESOURCE_POLICY_WITHOUT_SOURCE: Mapping[tuple[str, str], str] = {
    (KEY, "events.amazonaws.com"): "[SNS-1]: no condition for EventBridge",
    (KEY, "backup.amazonaws.com"): "[BACKUP-7] gives the statement without a condition",
    ("aws:sns/topicPolicy:TopicPolicy", "events.amazonaws.com"): "[EVENTS-15]: no Condition blocks in topic policies",
    ("aws:sns/topicPolicy:TopicPolicy", "backup.amazonaws.com"): "[BACKUP-7]: topics of its own account only",
    ("aws:s3/bucketPolicy:BucketPolicy", "logdelivery.elasticloadbalancing.amazonaws.com"): "[ALB-4]: the path "
    "contains the account",
}
_SOURCES = (
    "aws:SourceAccount",
    "aws:SourceArn",
    "kms:EncryptionContext:aws:logs:arn",
    "kms:EncryptionContext:aws:lambda:FunctionArn",
    "kms:EncryptionContext:SourceArn",
)
# An ARN of all resources of one type: `key/*`, `log-group:*`; for S3, whose ARNs have no type, all buckets.
_ALL_OF_A_KIND = re.compile(r"arn:[^:]*:(s3:::\*(/\*)?|(?!s3:)[^:]*:[^:]*:[^:]*:([a-z-]+[:/])?\*)")


def _allowed(rows: Rows, *kinds: str) -> list[tuple[Row, dict[str, Any]]]:
    return [
        (row, statement)
        for token, (path, kind) in DOCUMENTS.items()
        if kind in kinds
        for row in of_type(rows, token)
        for statement in statements(row["inputs"].get(path))
        if statement.get("Effect") == "Allow"
    ]


def policy_unchecked(rows: Rows) -> list[str]:
    """Policies in inputs that are not in DOCUMENTS, inline policies of a role included."""
    violations = []
    for row in rows:
        expected = DOCUMENTS.get(row["type"], ("", ""))[0]
        for path, value in row["inputs"].items():
            if path != expected and any("Effect" in each for each in known_statements(value)):
                violations.append(f"{label(row)} has a policy in {path}; use a resource type that DOCUMENTS lists")
        if row["type"] == ROLE and (row["inputs"].get("inlinePolicies") or row["inputs"].get("managedPolicyArns")):
            violations.append(f"{label(row)} has inline policies; make each a resource of its own")
    return violations


def wildcard_action_denied(rows: Rows) -> list[str]:
    """Wildcard actions, and statements with NotAction, NotResource or NotPrincipal.

    A key policy gives `kms:*` to its own account: a key without that statement can become unmanageable [KMS-2].
    """
    violations = []
    for row, statement in _allowed(rows, "identity", "trust", "resource", "key"):
        if set(statement) & {"NotAction", "NotResource", "NotPrincipal"}:
            violations.append(f"{label(row)} allows everything with exceptions; name what it allows")
        if row["type"] == KEY and _is_administration(statement):
            continue
        wild = [action for action in listed(statement.get("Action")) if "*" in action or "?" in action]
        if wild:
            violations.append(f"{label(row)} allows {', '.join(wild)}; name each action")
    return violations


def _is_administration(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    root = principal.get("AWS") if isinstance(principal, dict) and set(principal) == {"AWS"} else None
    return bool(re.fullmatch(r"arn:aws:iam::\d{12}:root", str(root))) and statement.get("Action") == "kms:*"


def wildcard_resource_denied(rows: Rows) -> list[str]:
    """Wildcard resources without a documented reason. In a key policy `*` is that key [KMS-2]."""
    violations = []
    for row, statement in _allowed(rows, "identity", "resource"):
        actions = set(listed(statement.get("Action")))
        for resource in listed(statement.get("Resource")):
            explained = ANY_RESOURCE if _is_wildcard(resource) else {**ANY_RESOURCE, **ANY_OF_A_KIND}
            narrowed = bool(statement.get("Condition")) and not _is_wildcard(resource)
            wide = _is_wildcard(resource) or _ALL_OF_A_KIND.fullmatch(resource)
            if wide and not narrowed and (unexplained := sorted(actions - set(explained))):
                violations.append(f"{label(row)} allows {', '.join(unexplained)} on {resource}; name the resource")
    return violations


def _is_wildcard(resource: str) -> bool:
    return resource == "*" or (resource.startswith("arn:") and "*" in ":".join(resource.split(":")[:3]))


def role_trust_restricted(rows: Rows) -> list[str]:
    """Roles that trust anything but one AWS service, or a service without a source condition."""
    violations = []
    for row, statement in _allowed(rows, "trust"):
        principal = statement.get("Principal")
        services = listed(principal.get("Service")) if isinstance(principal, dict) and len(principal) == 1 else []
        if len(services) != 1 or not str(services[0]).endswith(".amazonaws.com"):
            violations.append(f"{label(row)} trusts {principal}; name one AWS service")
        elif listed(statement.get("Action")) != ["sts:AssumeRole"]:
            violations.append(f"{label(row)} trusts with {statement.get('Action')}; allow sts:AssumeRole only")
        elif services[0] not in TRUST_WITHOUT_SOURCE and not _has_source(statement):
            violations.append(
                f"{label(row)} trusts {services[0]} without a source; add aws:SourceAccount and aws:SourceArn"
            )
    return violations


def service_principal_source_required(rows: Rows) -> list[str]:
    """Resource and key policies that allow an AWS service without a source condition: a confused deputy [IAM-3]."""
    violations = []
    for row, statement in _allowed(rows, "resource", "key"):
        principal = statement.get("Principal")
        for service in listed(principal.get("Service")) if isinstance(principal, dict) else []:
            if (row["type"], service) not in RESOURCE_POLICY_WITHOUT_SOURCE and not _has_source(statement):
                violations.append(
                    f"{label(row)} allows {service} without a source; add aws:SourceAccount or aws:SourceArn"
                )
    return violations


def _has_source(statement: dict[str, Any]) -> bool:
    conditions = statement.get("Condition") or {}
    return any(
        key in _SOURCES and "*" not in listed(value) for tests in conditions.values() for key, value in tests.items()
    )


def managed_policy_unlisted(rows: Rows) -> list[str]:
    """AWS managed policies that are not in MANAGED."""
    return [
        f"{label(row)} attaches {row['inputs'].get('policyArn')}; write a policy, or add it to MANAGED with its source"
        for row in of_type(rows, ATTACHMENT)
        if str(row["inputs"].get("policyArn")).removeprefix("arn:aws:iam::aws:policy/") not in MANAGED
    ]


def permission_source_required(rows: Rows) -> list[str]:
    """Permissions to invoke a function without the ARN of the invoking resource."""
    return [
        f"{label(row)} lets {given.get('principal')} invoke {given.get('function')}; set sourceArn"
        for row in of_type(rows, PERMISSION)
        for given in [row["inputs"]]
        if not str(given.get("principal")).endswith(".amazonaws.com")
        or _is_wildcard(str(given.get("sourceArn") or "*"))
        or given.get("action") != "lambda:InvokeFunction"
    ]
