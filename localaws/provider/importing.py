"""Reads a resource of which the state has no outputs: one that was adopted after an interrupted creation, or imported.

Of its arguments only those are taken for true that AWS answers, or that could be set by the creation alone. What an
update would pass on and AWS does not answer is left out, so that the next deployment sets it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath
from botocore.exceptions import ClientError

from localaws.core.errors import TableError
from localaws.provider import calls, execute, mapping, reading
from localaws.provider.context import Context
from localaws.provider.lookups import LOOKUPS
from localaws.provider.table import ALL, Call, Entry

_RECORD_TYPES = "A|AAAA|CAA|CNAME|DS|HTTPS|MX|NAPTR|NS|PTR|SOA|SPF|SRV|SSHFP|SVCB|TLSA|TXT"

_IDS = {
    type_: re.compile(pattern)
    for type_, pattern in {
        "aws:apigateway/basePathMapping:BasePathMapping": "(?P<domainName>[^/]+)/(?P<basePath>.*)",
        "aws:apigateway/stage:Stage": "(?P<restApi>[^/]+)/(?P<stageName>.+)",
        "aws:apigateway/usagePlanKey:UsagePlanKey": "(?P<usagePlanId>[^/]+)/(?P<keyId>.+)",
        "aws:backup/restoreTestingSelection:RestoreTestingSelection": "(?P<name>[^:]+):(?P<restoreTestingPlanName>.+)",
        "aws:backup/selection:Selection": r"(?P<planId>[^|]+)\|(?P<id>.+)",
        "aws:cloudwatch/eventRule:EventRule": "((?P<eventBusName>.+)/)?(?P<name>[^/]+)",
        "aws:cloudwatch/eventTarget:EventTarget": "((?P<eventBusName>.+)/)?(?P<rule>[^/]+)/(?P<targetId>[^/]+)",
        "aws:dynamodb/tableItem:TableItem": "(?P<tableName>[^,]+),.+",
        "aws:ec2/route:Route": (
            "(?P<routeTableId>[^_]+)_((?P<destinationPrefixListId>pl-.+)|(?P<destinationIpv6CidrBlock>.*:.*)|"
            "(?P<destinationCidrBlock>.+))"
        ),
        "aws:ec2/routeTableAssociation:RouteTableAssociation": (
            "((?P<gatewayId>igw-[^/]+)|(?P<subnetId>[^/]+))/(?P<routeTableId>.+)"
        ),
        "aws:iam/rolePolicy:RolePolicy": "(?P<role>[^:]+):(?P<name>.+)",
        "aws:lambda/permission:Permission": "(?P<function>[^/]+?)(:(?P<qualifier>[^:/]+))?/(?P<statementId>.+)",
        "aws:route53/record:Record": (
            f"(?P<zoneId>[^_]+)_(?P<name>.+)_(?P<type>{_RECORD_TYPES})(_(?P<setIdentifier>.+))?"
        ),
        "aws:scheduler/schedule:Schedule": "(?P<groupName>[^/]+)/(?P<name>.+)",
        "aws:wafv2/webAcl:WebAcl": "(?P<id>[^/]+)/(?P<name>[^/]+)/(?P<scope>.+)",
    }.items()
}
"""The ids by which a resource is imported, where they are not those of the state: the arguments in them, and the id."""

_ELSEWHERE = {
    "aws:dynamodb/table:Table": {
        "billingMode": "BillingModeSummary.BillingMode",
        "replicas": "Replicas[].{regionName: RegionName}",
    },
    "aws:dynamodb/tableItem:TableItem": {"item": "@"},
    "aws:ec2/internetGateway:InternetGateway": {"vpcId": "Attachments[0].VpcId"},
    "aws:ec2/routeTable:RouteTable": {
        "routes": (
            "Routes[?Origin=='CreateRoute'].{cidrBlock: DestinationCidrBlock, gatewayId: GatewayId, natGatewayId: "
            "NatGatewayId, ipv6CidrBlock: DestinationIpv6CidrBlock, vpcPeeringConnectionId: VpcPeeringConnectionId}"
        )
    },
    "aws:ec2/securityGroup:SecurityGroup": {
        way: f"{permissions}[].{{protocol: IpProtocol, fromPort: FromPort, toPort: ToPort, cidrBlocks: "
        "IpRanges[].CidrIp, ipv6CidrBlocks: Ipv6Ranges[].CidrIpv6, securityGroups: UserIdGroupPairs[].GroupId}"
        for way, permissions in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress"))
    },
    "aws:secretsmanager/secret:Secret": {"replicas": "ReplicationStatus[].{region: Region, kmsKeyId: KmsKeyId}"},
}
"""Arguments that AWS answers in another form: JMESPath over what was read, with a value in the program's form."""

_BY_DEFAULT = {
    "aws:ec2/securityGroup:SecurityGroup": {"egress": [{"protocol": "-1", "cidrBlocks": ["0.0.0.0/0"]}]},
}
"""Defaults of AWS that a creation removes: where one is still there, the creation did not get that far."""


@dataclass(frozen=True, kw_only=True)
class Imported:
    """The known arguments of a resource. The context that it was read for holds id and outputs."""

    unconfirmed: set[str]
    values: dict[str, Any] = field(default_factory=dict)
    """Those that AWS answers otherwise than they were given, and all of them where none were."""


def read(context: Context, identity: str) -> Imported | None:
    """Read the resource with the id `identity`, in the form for imports; None if AWS does not know it.

    Raises TableError for a type that no call here reads.
    """
    entry, lookup = context.entry, LOOKUPS.get(context.type)
    if not entry.read and not lookup:
        raise TableError(
            f"{context.type} {identity}: nothing here reads resources of this type, so they are not imported; remove "
            "it from AWS and let the program create it"
        )
    given = dict(context.inputs)
    context.inputs = {**_named_by(context, identity), **given}
    context.id = str(context.inputs.pop("id", identity))
    context.out = dict(context.inputs)
    try:
        if entry.read:
            context.found = context.made = execute.find(context, wait=True)
        attributes = reading.attributes(context)
    except ClientError as error:
        if execute.is_gone(error):
            return None
        raise
    if attributes is None:
        return None
    context.made = context.made or context.answered
    if context.type in _IDS and "(?P<id>" not in _IDS[context.type].pattern:
        context.id = mapping.as_text(context.text(entry.id))
    if given:
        found = _compared(context, attributes)
    else:
        found = Imported(unconfirmed=set(), values={**context.inputs, **_arguments(context, attributes)})
    context.inputs |= found.values
    context.inputs = {key: value for key, value in context.inputs.items() if key not in found.unconfirmed}
    execute.answer_outputs(context, made=True)
    return found


def _named_by(context: Context, identity: str) -> dict[str, Any]:
    """The arguments that an id for imports holds. Raises TableError for one of another form."""
    pattern, entry = _IDS.get(context.type), context.entry
    if pattern is None:
        argument = re.fullmatch(r"\{in\.(\w+)\}", entry.id) if isinstance(entry.id, str) else None
        return {argument[1]: identity} if argument else {}
    found = pattern.fullmatch(identity)
    if found is None:
        parts = ", ".join(pattern.groupindex)
        raise TableError(f"{context.type} {identity}: its id for an import holds {parts}; the registry shows the form")
    return {key: value for key, value in found.groupdict().items() if value}


def _compared(context: Context, attributes: Mapping[str, Any]) -> Imported:
    """The arguments that a deployment gave, and what AWS answers."""
    found = Imported(unconfirmed=set())
    settled = {*context.inputs} - _updated(context.entry) | _identifying(context)
    for key, value in context.inputs.items():
        if key in settled:
            continue
        answer = _answer(context, key, attributes)
        if answer is None:
            found.unconfirmed.add(key)
        elif not _is_same(value, answer):
            in_its_form = isinstance(value, dict | list) and key in _ELSEWHERE.get(context.type, {})
            changed = answer if in_its_form else reading.in_form_of(value, answer)
            if changed is None:
                found.unconfirmed.add(key)
            else:
                found.values[key] = changed
    for key, value in _BY_DEFAULT.get(context.type, {}).items():
        if key not in context.inputs and _answer(context, key, attributes) == value:
            found.values[key] = value
    if context.entry.tags and not context.tags.items() <= _tags(attributes).items():
        found.unconfirmed.add("tags")
    return found


def _updated(entry: Entry) -> set[str]:
    """The arguments that an update passes on."""
    return {path.partition(".")[0] for step in (*entry.update, *entry.puts) for path in execute.consumes(step)}


def _identifying(context: Context) -> set[str]:
    """The arguments by which the resource is found and deleted."""
    entry, lookup = context.entry, LOOKUPS.get(context.type)
    steps = [each for each in (entry.read, lookup and lookup.call, *entry.delete) if isinstance(each, Call)]
    used = mapping.arguments([entry.id, *(dict(each.params) for each in steps)])
    in_id = _IDS[context.type].groupindex if context.type in _IDS else ()
    return {*(path.partition(".")[0] for path in used), *in_id}


def _answer(context: Context, key: str, attributes: Mapping[str, Any]) -> Any:
    if expression := _ELSEWHERE.get(context.type, {}).get(key):
        return _without_nothing(jmespath.search(expression, attributes)) or None
    return attributes.get(reading.member(key, attributes, context.entry.rename) or "")


def _without_nothing(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nothing(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_nothing(item) for key, item in value.items() if item not in (None, [])}
    return value


def _is_same(value: Any, answer: Any) -> bool:
    """Whether the answer holds all of `value`, whatever else it holds."""
    if isinstance(value, dict):
        known = {str(key).lower(): item for key, item in answer.items()} if isinstance(answer, Mapping) else {}
        return all(str(key).lower() in known and _is_same(item, known[str(key).lower()]) for key, item in value.items())
    if isinstance(value, list):
        if not isinstance(answer, list) or len(value) != len(answer):
            return False
        if all(isinstance(item, str) for item in (*value, *answer)):
            return sorted(value) == sorted(answer)
        return all(_is_same(item, other) for item, other in zip(value, answer, strict=True))
    return bool(isinstance(value, str | int | float | bool) and reading.in_form_of(value, answer) == value)


def _tags(attributes: Mapping[str, Any]) -> dict[str, str]:
    found: Any = next((attributes[key] for key in ("Tags", "tags", "TagList") if attributes.get(key)), {})
    pairs = found if isinstance(found, Mapping) else dict(each.values() for each in found)
    return {str(key): str(value) for key, value in pairs.items()}


def _arguments(context: Context, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an imported resource: those of the creation that AWS answers as single values or texts."""
    found = {}
    for key in {*_created(context.entry)} - context.inputs.keys() - {"tags", "region"}:
        answer = _answer(context, key, attributes)
        texts = isinstance(answer, list) and all(isinstance(item, str) for item in answer)
        if answer not in (None, "", []) and (texts or isinstance(answer, str | int | float | bool)):
            found[key] = answer
    return found


def _created(entry: Entry) -> Iterator[str]:
    """The arguments that the creation passes on."""
    for step in (entry.create, *entry.puts):
        yield from (path.partition(".")[0] for path in execute.consumes(step))
    if isinstance(entry.create, Call) and entry.create.auto == ALL:
        shape = calls.operation(entry.create.service or entry.service, entry.create.operation).input_shape
        words = {word: argument for argument, word in entry.rename.items()}
        yield from (words.get(member) or _as_argument(member) for member in shape.members)


def _as_argument(member: str) -> str:
    """AWS's word for a field as an argument: KMSKeyArn is kmsKeyArn, VpcId is vpcId."""
    return re.sub(r"^[A-Z]+(?=[A-Z][a-z])|^[A-Z]+", lambda match: match[0].lower(), member)
