"""Security groups and their rules."""

from typing import Any

from localaws.provider.context import Context
from localaws.provider.table import ALL, Call, Do, Entry, Name, Tags

_PORTS = {"FromPort": "fromPort", "ToPort": "toPort", "IpProtocol": "protocol"}


def _allow_nothing(context: Context) -> None:
    """AWS gives a new group a rule that lets everything out; the provider takes it away."""
    found = context.call("describe_security_groups", {"GroupIds": [context.id]})["SecurityGroups"][0]
    rules = found.get("IpPermissionsEgress") or []
    if rules:
        context.call("revoke_security_group_egress", {"GroupId": context.id, "IpPermissions": rules})


def _inline(direction: str) -> Do:
    """The rules written inside the group; changed ones are taken away and given again."""

    def rules(context: Context) -> None:
        former = _permissions(context, context.before.get(direction) or [])
        wanted = _permissions(context, context.inputs.get(direction) or [])
        if former:
            context.call(f"revoke_security_group_{direction}", {"GroupId": context.id, "IpPermissions": former})
        if wanted:
            context.call(f"authorize_security_group_{direction}", {"GroupId": context.id, "IpPermissions": wanted})

    return Do(rules, takes=(direction,))


def _permissions(context: Context, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [_permission(context, rule) for rule in rules]


def _permission(context: Context, rule: dict[str, Any]) -> dict[str, Any]:
    note = {"Description": rule["description"]} if rule.get("description") else {}
    groups = [*(rule.get("securityGroups") or []), *([context.id] if rule.get("self") else [])]
    return {
        **{name: rule[argument] for name, argument in _PORTS.items() if argument in rule},
        "IpRanges": [{"CidrIp": block, **note} for block in rule.get("cidrBlocks") or []],
        "Ipv6Ranges": [{"CidrIpv6": block, **note} for block in rule.get("ipv6CidrBlocks") or []],
        "PrefixListIds": [{"PrefixListId": name, **note} for name in rule.get("prefixListIds") or []],
        "UserIdGroupPairs": [{"GroupId": group, **note} for group in groups],
    }


def _source(context: Context) -> list[dict[str, Any]]:
    """One rule as AWS's permission: a protocol, ports, and exactly one source or destination."""
    given = context.inputs
    note = {"Description": given["description"]} if given.get("description") else {}
    permission: dict[str, Any] = {"IpProtocol": given["ipProtocol"]}
    permission |= {name: given[key] for name, key in (("FromPort", "fromPort"), ("ToPort", "toPort")) if key in given}
    if given.get("cidrIpv4"):
        permission["IpRanges"] = [{"CidrIp": given["cidrIpv4"], **note}]
    if given.get("cidrIpv6"):
        permission["Ipv6Ranges"] = [{"CidrIpv6": given["cidrIpv6"], **note}]
    if given.get("prefixListId"):
        permission["PrefixListIds"] = [{"PrefixListId": given["prefixListId"], **note}]
    if given.get("referencedSecurityGroupId"):
        permission["UserIdGroupPairs"] = [{"GroupId": given["referencedSecurityGroupId"], **note}]
    return [permission]


_RULE = (
    "cidrIpv4",
    "cidrIpv6",
    "description",
    "fromPort",
    "ipProtocol",
    "prefixListId",
    "referencedSecurityGroupId",
    "toPort",
)


def _modified(context: Context) -> list[dict[str, Any]]:
    """The whole rule, as AWS replaces it; an empty description removes one."""
    given = context.inputs
    rule = {f"{key[0].upper()}{key[1:]}": given[key] for key in _RULE if key in given}
    if "ReferencedSecurityGroupId" in rule:
        rule["ReferencedGroupId"] = rule.pop("ReferencedSecurityGroupId")
    return [{"SecurityGroupRuleId": context.id, "SecurityGroupRule": {"Description": "", **rule}}]


def _rule(direction: str) -> Entry:
    return Entry(
        service="ec2",
        create=Call(
            f"authorize_security_group_{direction}",
            {"GroupId": "{in.securityGroupId}", "IpPermissions": _source},
            takes=_RULE,
        ),
        update=(
            Call(
                "modify_security_group_rules",
                {"GroupId": "{in.securityGroupId}", "SecurityGroupRules": _modified},
                takes=_RULE,
            ),
        ),
        id="{made.SecurityGroupRules[0].SecurityGroupRuleId}",
        delete=(
            Call(
                f"revoke_security_group_{direction}",
                {"GroupId": "{in.securityGroupId}", "SecurityGroupRuleIds": ["{id}"]},
            ),
        ),
        tags=Tags(resource="{id}", kind="security-group-rule"),
        outputs={
            "arn": "arn:aws:ec2:{region}:{account}:security-group-rule/{id}",
            "securityGroupRuleId": "{id}",
        },
    )


TYPES = {
    "aws:ec2/securityGroup:SecurityGroup": Entry(
        service="ec2",
        create=Call("create_security_group", auto=ALL),
        puts=(Do(_allow_nothing), _inline("ingress"), _inline("egress")),
        id="{made.GroupId}",
        delete=(Call("delete_security_group", {"GroupId": "{id}"}),),
        rename={"name": "GroupName"},
        autoname=Name(limit=255),
        defaults={"description": "Managed by Pulumi"},
        provider_only={"revokeRulesOnDelete": "only changes the order in which the provider deletes"},
        tags=Tags(resource="{id}", kind="security-group"),
        outputs={"arn": "arn:aws:ec2:{region}:{account}:security-group/{id}", "ownerId": "{account}"},
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule("ingress"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule("egress"),
}
