"""Roles and policies. IAM is global; its API counts as us-east-1."""

import json
from typing import Any

from localaws.provider.context import Context
from localaws.provider.table import ALL, Call, Do, Entry, Name, Tags

_REGION = "us-east-1"


def _document(argument: str) -> Any:
    """A policy document as JSON text, whether the program gave a text or a structure."""

    def text(context: Context) -> str:
        given = context.inputs[argument]
        return given if isinstance(given, str) else json.dumps(given)

    return text


def _attach(context: Context) -> None:
    """Managed policies written inside the role: attach the new ones, detach those no longer named."""
    wanted, former = (
        set(context.inputs.get("managedPolicyArns") or []),
        set(context.before.get("managedPolicyArns") or []),
    )
    for arn in sorted(former - wanted):
        context.call("detach_role_policy", {"RoleName": context.id, "PolicyArn": arn})
    for arn in sorted(wanted - former):
        context.call("attach_role_policy", {"RoleName": context.id, "PolicyArn": arn})


def _inline(context: Context) -> None:
    """Policies written inside the role."""
    wanted = {item["name"]: item["policy"] for item in context.inputs.get("inlinePolicies") or []}
    for item in context.before.get("inlinePolicies") or []:
        if item["name"] not in wanted:
            context.call("delete_role_policy", {"RoleName": context.id, "PolicyName": item["name"]})
    for name, policy in wanted.items():
        context.call("put_role_policy", {"RoleName": context.id, "PolicyName": name, "PolicyDocument": policy})


def _empty_role(context: Context) -> None:
    """A role goes only once nothing is attached; the provider takes off what the role itself brought."""
    for arn in context.get("in.managedPolicyArns") or []:
        context.call("detach_role_policy", {"RoleName": context.id, "PolicyArn": arn})
    for item in context.get("in.inlinePolicies") or []:
        context.call("delete_role_policy", {"RoleName": context.id, "PolicyName": item["name"]})


TYPES = {
    "aws:iam/role:Role": Entry(
        service="iam",
        region=_REGION,
        create=Call(
            "create_role",
            {"AssumeRolePolicyDocument": _document("assumeRolePolicy")},
            auto=ALL,
            takes=("assumeRolePolicy",),
        ),
        puts=(Do(_attach, takes=("managedPolicyArns",)), Do(_inline, takes=("inlinePolicies",))),
        update=(
            Call(
                "update_assume_role_policy",
                {"RoleName": "{id}", "PolicyDocument": _document("assumeRolePolicy")},
                takes=("assumeRolePolicy",),
            ),
            Call("update_role", {"RoleName": "{id}"}, auto=("description", "maxSessionDuration")),
        ),
        id="{made.Role.RoleName}",
        delete=(Do(_empty_role), Call("delete_role", {"RoleName": "{id}"})),
        rename={"name": "RoleName"},
        autoname=Name(limit=64),
        provider_only={"forceDetachPolicies": "only changes how the provider deletes"},
        tags=Tags(resource="{id}", kind="role"),
        outputs={
            "arn": "{made.Role.Arn}",
            "uniqueId": "{made.Role.RoleId}",
            "createDate": lambda context: (
                context.made["Role"]["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ")
                if context.made
                else context.out["createDate"]
            ),
        },
    ),
    "aws:iam/rolePolicy:RolePolicy": Entry(
        service="iam",
        region=_REGION,
        create=Call(
            "put_role_policy",
            {"RoleName": "{in.role}", "PolicyName": "{in.name}", "PolicyDocument": _document("policy")},
            takes=("policy",),
        ),
        update=(
            Call(
                "put_role_policy",
                {"RoleName": "{out.role}", "PolicyName": "{out.name}", "PolicyDocument": _document("policy")},
                takes=("policy",),
            ),
        ),
        id="{in.role}:{in.name}",
        delete=(Call("delete_role_policy", {"RoleName": "{in.role}", "PolicyName": "{out.name}"}),),
        autoname=Name(limit=128),
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Entry(
        service="iam",
        region=_REGION,
        create=Call("attach_role_policy", {"RoleName": "{in.role}", "PolicyArn": "{in.policyArn}"}),
        id=lambda context: f"{context.inputs['role']}-{context.inputs['policyArn'].rpartition('/')[2]}",
        delete=(Call("detach_role_policy", {"RoleName": "{in.role}", "PolicyArn": "{in.policyArn}"}),),
    ),
    "aws:iam/policy:Policy": Entry(
        service="iam",
        region=_REGION,
        create=Call("create_policy", {"PolicyDocument": _document("policy")}, auto=ALL, takes=("policy",)),
        update=(
            Call(
                "create_policy_version",
                {"PolicyArn": "{id}", "PolicyDocument": _document("policy"), "SetAsDefault": True},
                takes=("policy",),
            ),
        ),
        id="{made.Policy.Arn}",
        delete=(Call("delete_policy", {"PolicyArn": "{id}"}),),
        rename={"name": "PolicyName"},
        autoname=Name(limit=128),
        provider_only={"delayAfterPolicyCreationInMs": "a pause for IAM's eventual consistency"},
        tags=Tags(resource="{id}", kind="policy"),
        outputs={"arn": "{id}", "policyId": "{made.Policy.PolicyId}", "attachmentCount": 0},
    ),
}
