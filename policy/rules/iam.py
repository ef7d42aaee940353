"""Least privilege (R14): no wildcard action, no unexplained wildcard resource, roles that services take on, and service
principals that act for this account only."""

import re
from collections.abc import Mapping
from typing import Any

from policy.rules.rows import Row, Rows, label, listed, of_type, statements

ROLE = "aws:iam/role:Role"
KEY = "aws:kms/key:Key"
PERMISSION = "aws:lambda/permission:Permission"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"

# Inputs that hold a policy, by the kind it is. A policy found anywhere else is refused until it is put in here.
DOCUMENTS: Mapping[str, tuple[str, str]] = {
    "aws:iam/policy:Policy": ("policy", "identity"),
    "aws:iam/rolePolicy:RolePolicy": ("policy", "identity"),
    ROLE: ("assumeRolePolicy", "trust"),
    KEY: ("policy", "key"),
    "aws:s3/bucketPolicy:BucketPolicy": ("policy", "resource"),
    "aws:sns/topicPolicy:TopicPolicy": ("policy", "resource"),
    "aws:sqs/queuePolicy:QueuePolicy": ("policy", "resource"),
}
# Actions that AWS lets no one narrow to a resource: why, and where it says so.
ANY_RESOURCE: Mapping[str, str] = {
    "xray:PutTraceSegments": "knows no resource (Service Authorization Reference, AWS X-Ray)",
    "xray:PutTelemetryRecords": "knows no resource (Service Authorization Reference, AWS X-Ray)",
    "xray:GetSamplingRules": "knows no resource (Service Authorization Reference, AWS X-Ray)",
    "xray:GetSamplingTargets": "knows no resource (Service Authorization Reference, AWS X-Ray)",
    "ssm:DescribeParameters": "a listing (Service Authorization Reference, AWS Systems Manager)",
    "dynamodb:ListStreams": "a listing (Service Authorization Reference, Amazon DynamoDB)",
    "cloudwatch:GetMetricStatistics": "knows no resource (Service Authorization Reference, Amazon CloudWatch)",
    "cloudwatch:DescribeAlarms": "tells of composite alarms only with it (API CloudWatch.DescribeAlarms)",
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
        "log delivery knows no resource [SFN-2]",
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
        "Lambda makes a function's network interfaces under its role, with ids that no one knows before [LAMBDA-2]",
    ),
}
# Actions on everything of a kind, for want of anything narrower.
ANY_OF_A_KIND: Mapping[str, str] = {
    "ec2:GetManagedPrefixListEntries": "reads AWS's own lists of addresses, whose ids are not ours [FIS-6]",
}
# AWS's own policies that we attach: they hold wildcards, and change without us.
MANAGED: Mapping[str, str] = {
    "service-role/AWSBackupServiceRolePolicyForBackup": "[BACKUP-5]",
    "AWSBackupServiceRolePolicyForS3Backup": "[BACKUP-5]",
    "service-role/AWSBackupServiceRolePolicyForRestores": "[BACKUP-5]",
    "AWSBackupServiceRolePolicyForS3Restore": "[BACKUP-5]",
    "service-role/AmazonAPIGatewayPushToCloudWatchLogs": "[APIGW-2]; of the whole account and region, not one API",
}
# Services that take a role on without saying for whom, as far as AWS documents it. That no other account's resource
# uses the role rests on iam:PassRole, which passes a role to a service of its own account only [IAM-2].
SILENT_IN_TRUST: Mapping[str, str] = {
    "apigateway.amazonaws.com": "[APIGW-2] asks for the bare principal",
    "arc-region-switch.amazonaws.com": "[ARC-3] asks for the bare principal",
    "backup.amazonaws.com": "[BACKUP-5] asks for the bare principal",
    "events.amazonaws.com": "[EVENTS-16] knows a source for targets of rules, none for endpoints",
    "lambda.amazonaws.com": "[LAMBDA-16] asks for the bare principal; a source is known for calls of the function, "
    "not for those that make its network interfaces",
    "s3.amazonaws.com": "[S3-9] asks for the bare principal",
}
# Services that name no source when they use a resource, by kind of policy.
SILENT_IN_RESOURCE: Mapping[tuple[str, str], str] = {
    (KEY, "events.amazonaws.com"): "[SNS-1]: no condition for EventBridge",
    (KEY, "backup.amazonaws.com"): "[BACKUP-7] gives the statement without a condition",
    ("aws:sns/topicPolicy:TopicPolicy", "events.amazonaws.com"): "[EVENTS-15]: no Condition blocks in topic policies",
    ("aws:sns/topicPolicy:TopicPolicy", "backup.amazonaws.com"): "[BACKUP-7]: topics of its own account only",
    ("aws:s3/bucketPolicy:BucketPolicy", "logdelivery.elasticloadbalancing.amazonaws.com"): "[ALB-4]: the path, with "
    "the account in it, keeps others out",
}
_SOURCES = (
    "aws:SourceAccount",
    "aws:SourceArn",
    "kms:EncryptionContext:aws:logs:arn",
    "kms:EncryptionContext:aws:lambda:FunctionArn",
    "kms:EncryptionContext:SourceArn",
)
# In an ARN, all of a kind: `key/*`, `log-group:*`; in one of S3, which has no kinds, all buckets.
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


def unknown_policies(rows: Rows) -> list[str]:
    """Policies in places that no rule here looks at, inline ones of a role among them."""
    violations = []
    for row in rows:
        expected = DOCUMENTS.get(row["type"], ("", ""))[0]
        for path, value in row["inputs"].items():
            if path != expected and any("Effect" in each for each in statements(value)):
                violations.append(f"{label(row)} has a policy in {path}; put it into a type that DOCUMENTS lists")
        if row["type"] == ROLE and (row["inputs"].get("inlinePolicies") or row["inputs"].get("managedPolicyArns")):
            violations.append(f"{label(row)} has policies inside; make each a resource of its own")
    return violations


def wildcard_actions(rows: Rows) -> list[str]:
    """Actions that are not spelled out. Only a key's own account may do everything with it: a key whose policy does not
    say so can be lost for good [KMS-2]."""
    violations = []
    for row, statement in _allowed(rows, "identity", "trust", "resource", "key"):
        if set(statement) & {"NotAction", "NotResource", "NotPrincipal"}:
            violations.append(f"{label(row)} allows all but something; name what it allows")
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


def wildcard_resources(rows: Rows) -> list[str]:
    """Resources that are not named. In a key's policy `*` is that key [KMS-2]."""
    violations = []
    for row, statement in _allowed(rows, "identity", "resource"):
        actions = set(listed(statement.get("Action")))
        for resource in listed(statement.get("Resource")):
            explained = ANY_RESOURCE if _means_anything(resource) else {**ANY_RESOURCE, **ANY_OF_A_KIND}
            narrowed = bool(statement.get("Condition")) and not _means_anything(resource)
            wide = _means_anything(resource) or _ALL_OF_A_KIND.fullmatch(resource)
            if wide and not narrowed and (unexplained := sorted(actions - set(explained))):
                violations.append(f"{label(row)} allows {', '.join(unexplained)} on {resource}; name the resource")
    return violations


def _means_anything(resource: str) -> bool:
    return resource == "*" or (resource.startswith("arn:") and "*" in ":".join(resource.split(":")[:3]))


def trusted_by_others(rows: Rows) -> list[str]:
    """Roles that anything but one AWS service takes on, or a service for whoever asks it to."""
    violations = []
    for row, statement in _allowed(rows, "trust"):
        principal = statement.get("Principal")
        services = listed(principal.get("Service")) if isinstance(principal, dict) and len(principal) == 1 else []
        if len(services) != 1 or not str(services[0]).endswith(".amazonaws.com"):
            violations.append(f"{label(row)} trusts {principal}; name one AWS service")
        elif listed(statement.get("Action")) != ["sts:AssumeRole"]:
            violations.append(f"{label(row)} trusts for {statement.get('Action')}; allow sts:AssumeRole only")
        elif services[0] not in SILENT_IN_TRUST and not _has_source(statement):
            violations.append(f"{label(row)} trusts {services[0]} for anyone; add aws:SourceAccount and aws:SourceArn")
    return violations


def used_for_others(rows: Rows) -> list[str]:
    """Resource policies that let an AWS service in, on whoever's behalf [IAM-3]."""
    violations = []
    for row, statement in _allowed(rows, "resource", "key"):
        principal = statement.get("Principal")
        for service in listed(principal.get("Service")) if isinstance(principal, dict) else []:
            if (row["type"], service) not in SILENT_IN_RESOURCE and not _has_source(statement):
                violations.append(f"{label(row)} lets {service} in for anyone; add aws:SourceAccount or aws:SourceArn")
    return violations


def _has_source(statement: dict[str, Any]) -> bool:
    conditions = statement.get("Condition") or {}
    return any(
        key in _SOURCES and "*" not in listed(value) for tests in conditions.values() for key, value in tests.items()
    )


def unlisted_attachments(rows: Rows) -> list[str]:
    """Policies of AWS's own that no one has looked at."""
    return [
        f"{label(row)} attaches {row['inputs'].get('policyArn')}; write a policy of our own, or list why not"
        for row in of_type(rows, ATTACHMENT)
        if str(row["inputs"].get("policyArn")).removeprefix("arn:aws:iam::aws:policy/") not in MANAGED
    ]


def open_functions(rows: Rows) -> list[str]:
    """Permissions to invoke a function that do not say for which resource."""
    return [
        f"{label(row)} lets {given.get('principal')} invoke {given.get('function')}; give the ARN it comes from"
        for row in of_type(rows, PERMISSION)
        for given in [row["inputs"]]
        if not str(given.get("principal")).endswith(".amazonaws.com")
        or _means_anything(str(given.get("sourceArn") or "*"))
        or given.get("action") != "lambda:InvokeFunction"
    ]
