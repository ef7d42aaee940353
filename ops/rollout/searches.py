"""Searches for a resource by its arguments: one listing call and a condition, or more than that for two types.

Expressions are JMESPath; in braces they are part of a text. `in` holds the resource's arguments, and in `where` and
`id` everything else is a field of the listed item.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath

from ops.environment.aws import Client, pages

_EXPRESSION = re.compile(r"\{([^{}]+)\}")
_REGIONS = {"iam": "us-east-1", "route53": "us-east-1", "globalaccelerator": "us-west-2"}
"""The region of the API of each service without regions."""

Inputs = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Search:
    """One listing call, and the condition that its items meet; `tagged`: they also have all tags of the resource."""

    service: str
    operation: str
    items: str
    where: str
    id: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tagged: bool = False

    def __call__(self, client: Client, region: str, inputs: Inputs) -> list[str]:
        """Ids in the order of the listing. Raises botocore's errors."""
        service = client(self.service, _REGIONS.get(self.service, region))
        found = _listed(service, self.operation, self.items, _filled(self.parameters, {"in": inputs}))
        return [
            text(self.id, {**item, "in": inputs}).removeprefix("/hostedzone/")
            for item in found
            if jmespath.search(self.where, {**item, "in": inputs})
            and (not self.tagged or has_tags(item.get("Tags") or item.get("tags"), inputs))
        ]


def text(template: str, scope: Mapping[str, Any]) -> str:
    """`template` with its expressions replaced; one without a value is empty."""

    def value(match: re.Match[str]) -> str:
        found = jmespath.search(match[1], scope)
        return "" if found is None else str(found)

    return _EXPRESSION.sub(value, template)


def has_tags(found: Any, inputs: Inputs) -> bool:
    """Whether tags, as a map or as a list of pairs, hold all those of the arguments."""
    pairs = found if isinstance(found, Mapping) else dict(each.values() for each in found or [])
    return all(pairs.get(key) == value for key, value in (inputs.get("tagsAll") or {}).items())


def certificates(client: Client, region: str, inputs: Inputs) -> list[str]:
    """Imported ones by their contents, requested ones by their name and tags."""
    acm = client("acm", region)
    every = {"Includes": {"keyTypes": _key_types(acm)}}  # by default, those with RSA keys of 2048 bits only
    listed = [each["CertificateArn"] for each in pages(acm, "list_certificates", "CertificateSummaryList", **every)]
    if body := inputs.get("certificateBody"):
        wanted = str(body).strip()
        issued = [
            arn for arn in listed if acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED"
        ]
        return [arn for arn in issued if acm.get_certificate(CertificateArn=arn)["Certificate"].strip() == wanted]
    return [arn for arn in listed if _is_requested(acm, arn, inputs)]


def _is_requested(acm: Any, arn: str, inputs: Inputs) -> bool:
    found = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    same = found["DomainName"] == inputs.get("domainName") and found.get("Type") != "IMPORTED"
    return same and has_tags(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"], inputs)


def _key_types(acm: Any) -> list[str]:
    shape = acm.meta.service_model.operation_model("ListCertificates").input_shape
    found: list[str] = shape.members["Includes"].members["keyTypes"].member.enum
    return found


def keys(client: Client, region: str, inputs: Inputs) -> list[str]:
    """Keys of KMS that have no name: by description and tags."""
    kms = client("kms", region)
    found = []
    for each in pages(kms, "list_keys", "Keys"):
        key = kms.describe_key(KeyId=each["KeyId"])["KeyMetadata"]
        if key["KeyManager"] != "CUSTOMER" or key["KeyState"] == "PendingDeletion":
            continue
        if key.get("Description") != inputs.get("description"):
            continue
        if has_tags(pages(kms, "list_resource_tags", "Tags", KeyId=each["KeyId"]), inputs):
            found.append(each["KeyId"])
    return found


def table_items(client: Client, region: str, inputs: Inputs) -> list[str]:
    """The item of a table by its key, which its id repeats."""
    item = json.loads(inputs["item"])
    key = {name: item[name] for name in (inputs["hashKey"], inputs.get("rangeKey")) if name}
    asked = {"TableName": inputs["tableName"], "Key": key, "ConsistentRead": True}
    there = "Item" in client("dynamodb", region).get_item(**asked)
    values = [str(next(iter(value.values()))) for value in key.values()]
    return [",".join([inputs["tableName"], *values])] if there else []


def _listed(service: Any, operation: str, expression: str, parameters: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """The items that `expression` finds in each page; a plain value as {"item": value}."""
    if service.can_paginate(operation):
        answers = service.get_paginator(operation).paginate(**parameters)
    else:
        answers = [getattr(service, operation)(**parameters)]
    for answer in answers:
        for item in jmespath.search(expression, answer) or []:
            yield item if isinstance(item, dict) else {"item": item}


def _filled(value: Any, scope: Mapping[str, Any]) -> Any:
    """`value` with the expressions of all its texts replaced, without the fields that are then empty."""
    if isinstance(value, str):
        return text(value, scope)
    if isinstance(value, list):
        return [_filled(item, scope) for item in value]
    return {key: found for key, item in value.items() if (found := _filled(item, scope)) != ""}
