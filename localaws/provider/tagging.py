"""Tags: in the creating call where the operation has a parameter for them, otherwise by the service's tagging call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localaws.provider import calls as provider_calls
from localaws.provider.context import Context

_PARAMETERS = ("TagSpecifications", "Tags", "tags", "TagList")


@dataclass(frozen=True)
class TagCalls:
    """A service's calls to change tags. `add` and `remove` take `target` and the tags or their keys."""

    add: str
    remove: str
    target: str
    tags: str = "Tags"
    keys: str = "TagKeys"
    kind: str = ""  # the parameter for the kind of resource


CALLS = {
    "acm": TagCalls("add_tags_to_certificate", "remove_tags_from_certificate", "CertificateArn", keys="Tags"),
    "apigateway": TagCalls("tag_resource", "untag_resource", "resourceArn", "tags", "tagKeys"),
    "backup": TagCalls("tag_resource", "untag_resource", "ResourceArn", keys="TagKeyList"),
    "cloudwatch": TagCalls("tag_resource", "untag_resource", "ResourceARN"),
    "dynamodb": TagCalls("tag_resource", "untag_resource", "ResourceArn"),
    "ec2": TagCalls("create_tags", "delete_tags", "Resources", keys="Tags"),
    "elbv2": TagCalls("add_tags", "remove_tags", "ResourceArns"),
    "events": TagCalls("tag_resource", "untag_resource", "ResourceARN"),
    "globalaccelerator": TagCalls("tag_resource", "untag_resource", "ResourceArn"),
    "iam:role": TagCalls("tag_role", "untag_role", "RoleName"),
    "iam:policy": TagCalls("tag_policy", "untag_policy", "PolicyArn"),
    "kms": TagCalls("tag_resource", "untag_resource", "KeyId"),
    "lambda": TagCalls("tag_resource", "untag_resource", "Resource"),
    "logs": TagCalls("tag_resource", "untag_resource", "resourceArn", "tags", "tagKeys"),
    "rds": TagCalls("add_tags_to_resource", "remove_tags_from_resource", "ResourceName"),
    "route53": TagCalls(
        "change_tags_for_resource",
        "change_tags_for_resource",
        "ResourceId",
        "AddTags",
        "RemoveTagKeys",
        "ResourceType",
    ),
    "s3": TagCalls("put_bucket_tagging", "delete_bucket_tagging", "Bucket", "Tagging"),
    "secretsmanager": TagCalls("tag_resource", "untag_resource", "SecretId"),
    "sns": TagCalls("tag_resource", "untag_resource", "ResourceArn"),
    "sqs": TagCalls("tag_queue", "untag_queue", "QueueUrl"),
    "ssm": TagCalls("add_tags_to_resource", "remove_tags_from_resource", "ResourceId", kind="ResourceType"),
    "stepfunctions": TagCalls("tag_resource", "untag_resource", "resourceArn", "tags", "tagKeys"),
    "wafv2": TagCalls("tag_resource", "untag_resource", "ResourceARN"),
}


def merge(own: dict[str, Any] | None, defaults: dict[str, str]) -> dict[str, str]:
    """The tags that the provider sends: its default tags, overridden by the resource's own."""
    return {**defaults, **{key: str(value) for key, value in (own or {}).items()}}


def inline(context: Context, shape: Any) -> dict[str, Any]:
    """The creating call's parameter for the tags, in the form its shape asks for. Raises KeyError if it has none."""
    if not context.tags:
        return {}
    name = next(name for name in _PARAMETERS if name in shape.members)
    if name == "TagSpecifications":
        assert context.entry.tags is not None
        return {name: [{"ResourceType": context.entry.tags.kind, "Tags": _pairs(context.tags)}]}
    member = shape.members[name]
    if member.type_name == "map":
        return {name: dict(context.tags)}
    return {name: _pairs(context.tags, "TagKey" if "TagKey" in member.member.members else "Key")}


def apply(context: Context, former: dict[str, str]) -> None:
    """Bring the resource's tags from `former` to the context's by the service's own calls."""
    entry = context.entry
    assert entry.tags is not None
    calls = CALLS.get(f"{entry.service}:{entry.tags.kind}") or CALLS[entry.service]
    target = {calls.target: context.text(entry.tags.resource)}
    if calls.kind:
        target[calls.kind] = entry.tags.kind
    changed = {key: value for key, value in context.tags.items() if former.get(key) != value}
    gone = sorted(former.keys() - context.tags.keys())
    if entry.service == "s3":
        tag_set = {"TagSet": _pairs(context.tags)}
        context.call(
            calls.add if context.tags else calls.remove, {**target, **({calls.tags: tag_set} if context.tags else {})}
        )
        return
    if changed:
        context.call(calls.add, {**target, calls.tags: _fit(context, calls, changed)})
    if gone:
        keys = [{"Key": key} for key in gone] if calls.keys == calls.tags == "Tags" else gone
        context.call(calls.remove, {**target, calls.keys: keys})


def read(answer: Any) -> dict[str, str]:
    """Tags as AWS answers them, a map or a list of pairs, by key."""
    if isinstance(answer, Mapping):
        return dict(answer)
    return {each.get("Key", each.get("TagKey")): each.get("Value", each.get("TagValue")) for each in answer}


def _fit(context: Context, calls: TagCalls, tags: dict[str, str]) -> Any:
    member = provider_calls.operation(context.entry.service, calls.add).input_shape.members[calls.tags]
    if member.type_name == "map":
        return tags
    return _pairs(tags, "TagKey" if "TagKey" in member.member.members else "Key")


def _pairs(tags: dict[str, str], key: str = "Key") -> list[dict[str, str]]:
    value = "TagValue" if key == "TagKey" else "Value"
    return [{key: name, value: text} for name, text in sorted(tags.items())]
