"""IAM policy documents as JSON that is the same every time, and roles with one inline policy."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

VERSION = "2012-10-17"
Condition = Mapping[str, Mapping[str, Any]]


def allow(
    actions: Sequence[str], resources: Sequence[pulumi.Input[str]], *, condition: Condition | None = None
) -> dict[str, Any]:
    """A statement that allows `actions`, each spelled out, on `resources`. Raises ValueError for a wildcard action."""
    if wild := [action for action in actions if "*" in action]:
        raise ValueError(f"policy allows {', '.join(wild)}; name each action")
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return statement if condition is None else statement | {"Condition": condition}


def document(statements: Sequence[Mapping[str, Any]]) -> pulumi.Output[str]:
    return pulumi.Output.json_dumps({"Version": VERSION, "Statement": list(statements)}, sort_keys=True)


def trust(service: str) -> str:
    """The assume-role policy for an AWS service: `lambda.amazonaws.com`."""
    return (
        f'{{"Statement": [{{"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {{"Service": "{service}"}}}}], '
        f'"Version": "{VERSION}"}}'
    )


def trust_for(service: str, *, account: pulumi.Input[str], source: pulumi.Input[str]) -> pulumi.Output[str]:
    """The same for a service that names the resource it acts for: `source`, an ARN or a pattern, of `account`."""
    return document(
        [
            {
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"aws:SourceArn": source}},
            }
        ]
    )


def service_role(
    prefix: str,
    *,
    name: str,
    trust: pulumi.Input[str],
    statements: Callable[[pulumi.Output[str]], Sequence[Mapping[str, Any]]],
    opts: pulumi.ResourceOptions,
) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
    """A role and its policy of the same name, which users of the role must depend on. `statements` are given the role's
    ARN."""
    role = aws.iam.Role(f"{prefix}-role", name=name, assume_role_policy=trust, opts=opts)
    policy = aws.iam.RolePolicy(
        f"{prefix}-policy", name=name, role=role.name, policy=document(statements(role.arn)), opts=opts
    )
    return role, policy


def tls_only(action: str, resources: Sequence[pulumi.Input[str]]) -> dict[str, Any]:
    """A statement that denies `action` without TLS, even if other statements allow it [IAM-1]. Here a wildcard action
    is right: it denies more."""
    return {
        "Sid": "DenyInsecureTransport",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": list(resources),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
