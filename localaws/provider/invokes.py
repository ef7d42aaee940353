"""Provider functions (`aws.get_region` and friends): what a program may ask AWS while it runs."""

import json
import zlib
from collections.abc import Callable
from typing import Any

from localaws.core.errors import TableError
from localaws.provider.context import Context

Arguments = dict[str, Any]


def answer(token: str, context: Context, arguments: Arguments) -> dict[str, Any]:
    """The result of the function `token`. Raises TableError for one that is not known here."""
    if token not in FUNCTIONS:
        raise TableError(f"function {token} is not known here; see localaws/provider/invokes.py")
    context.region = arguments.get("region") or context.region
    return FUNCTIONS[token](context, arguments)


def _caller_identity(context: Context, _: Arguments) -> dict[str, Any]:
    who = context.call("get_caller_identity", {}, service="sts")
    return {"accountId": who["Account"], "arn": who["Arn"], "userId": who["UserId"], "id": who["Account"]}


def _region(context: Context, _: Arguments) -> dict[str, Any]:
    region = context.region
    endpoint = f"ec2.{region}.amazonaws.com"
    return {"name": region, "region": region, "id": region, "endpoint": endpoint, "description": region}


def _partition(_: Context, __: Arguments) -> dict[str, Any]:
    return {"partition": "aws", "id": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}


def _zones(context: Context, arguments: Arguments) -> dict[str, Any]:
    filters = [{"Name": item["name"], "Values": item["values"]} for item in arguments.get("filters") or []]
    state = arguments.get("state")
    if state:
        filters.append({"Name": "state", "Values": [state]})
    question: dict[str, Any] = {"Filters": filters} if filters else {}
    if arguments.get("allAvailabilityZones"):
        question["AllAvailabilityZones"] = True
    zones = context.call("describe_availability_zones", question, service="ec2")["AvailabilityZones"]
    left_out = {*(arguments.get("excludeNames") or []), *(arguments.get("excludeZoneIds") or [])}
    zones = [zone for zone in zones if zone["ZoneName"] not in left_out and zone["ZoneId"] not in left_out]
    zones.sort(key=lambda zone: zone["ZoneName"])
    return {
        **arguments,
        "id": context.region,
        "region": context.region,
        "names": [zone["ZoneName"] for zone in zones],
        "zoneIds": [zone["ZoneId"] for zone in zones],
        "groupNames": sorted({zone.get("GroupName", context.region) for zone in zones}),
    }


def _zone(context: Context, arguments: Arguments) -> dict[str, Any]:
    if arguments.get("zoneId"):
        zone_id = arguments["zoneId"]
    elif context.synthetic:
        zone_id = f"Z{zlib.crc32(arguments['name'].encode()):010d}"
    else:
        name = f"{arguments['name'].rstrip('.')}."
        private = bool(arguments.get("privateZone"))
        found = context.call("list_hosted_zones", {}, service="route53", region="us-east-1")["HostedZones"]
        fitting = [
            zone for zone in found if zone["Name"] == name and bool(zone["Config"].get("PrivateZone")) == private
        ]
        if len(fitting) != 1:
            raise TableError(f"{len(fitting)} hosted zones are called {name}; one was expected")
        zone_id = fitting[0]["Id"].rpartition("/")[2]
    answer = context.call("get_hosted_zone", {"Id": zone_id}, service="route53", region="us-east-1")
    zone, servers = answer["HostedZone"], (answer.get("DelegationSet") or {}).get("NameServers") or []
    return {
        "id": zone_id,
        "zoneId": zone_id,
        "arn": f"arn:aws:route53:::hostedzone/{zone_id}",
        "name": zone["Name"].rstrip("."),
        "comment": zone["Config"].get("Comment", ""),
        "privateZone": bool(zone["Config"].get("PrivateZone")),
        "callerReference": zone["CallerReference"],
        "resourceRecordSetCount": zone.get("ResourceRecordSetCount", 0),
        "nameServers": servers,
        "primaryNameServer": servers[0] if servers else "",
        "tags": {},
    }


def _policy_document(_: Context, arguments: Arguments) -> dict[str, Any]:
    unknown = arguments.keys() - {"statements", "version", "policyId"}
    if unknown:
        raise TableError(f"getPolicyDocument: {', '.join(sorted(unknown))} is not merged here; write statements")
    document: dict[str, Any] = {"Version": arguments.get("version") or "2012-10-17"}
    if arguments.get("policyId"):
        document["Id"] = arguments["policyId"]
    document["Statement"] = [_statement(item) for item in arguments.get("statements") or []]
    text = json.dumps(document, indent=2)
    return {
        **arguments,
        "id": str(zlib.crc32(text.encode())),
        "json": text,
        "minifiedJson": json.dumps(document, separators=(",", ":")),
    }


def _statement(item: dict[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = {"Sid": item["sid"]} if item.get("sid") else {}
    statement["Effect"] = item.get("effect") or "Allow"
    words = {
        "actions": "Action",
        "notActions": "NotAction",
        "resources": "Resource",
        "notResources": "NotResource",
    }
    for key, word in words.items():
        if item.get(key):
            statement[word] = _one_or_many(item[key])
    for key, word in {"principals": "Principal", "notPrincipals": "NotPrincipal"}.items():
        if item.get(key):
            statement[word] = {who["type"]: _one_or_many(who["identifiers"]) for who in item[key]}
    for condition in item.get("conditions") or []:
        tests = statement.setdefault("Condition", {}).setdefault(condition["test"], {})
        tests[condition["variable"]] = _one_or_many(condition["values"])
    return statement


def _one_or_many(items: list[str]) -> str | list[str]:
    return items[0] if len(items) == 1 else sorted(items)


FUNCTIONS: dict[str, Callable[[Context, Arguments], dict[str, Any]]] = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": _zones,
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getRegion:getRegion": _region,
    "aws:iam/getPolicyDocument:getPolicyDocument": _policy_document,
    "aws:route53/getZone:getZone": _zone,
}
