"""Hosted zones and health checks. Route 53 is global; its API counts as us-east-1."""

import uuid
from typing import Any

from localaws.provider.context import Context
from localaws.provider.table import Call, Do, Entry, Maybe, Tags

_REGION = "us-east-1"


def _caller_reference(context: Context) -> str:
    """AWS refuses a reference it has seen, so it is new each time, except in the graph."""
    return str(uuid.UUID(int=context.entropy.getrandbits(128)))


def _zone(context: Context) -> dict[str, Any]:
    """A public zone, or a private one of the first VPC; the others are associated afterwards."""
    given = context.inputs
    networks = given.get("vpcs") or []
    asked: dict[str, Any] = {
        "Name": given["name"],
        "CallerReference": _caller_reference(context),
        "HostedZoneConfig": {"Comment": given["comment"], "PrivateZone": bool(networks)},
    }
    if given.get("delegationSetId"):
        asked["DelegationSetId"] = given["delegationSetId"]
    if networks:
        asked["VPC"] = _network(context, networks[0])
    made = context.call("create_hosted_zone", asked)
    for network in networks[1:]:
        zone = {"HostedZoneId": made["HostedZone"]["Id"], "VPC": _network(context, network)}
        context.call("associate_vpc_with_hosted_zone", zone)
    return made


def _network(context: Context, network: dict[str, Any]) -> dict[str, str]:
    return {"VPCId": network["vpcId"], "VPCRegion": network.get("vpcRegion") or context.region}


def _empty(context: Context) -> None:
    """With forceDestroy, the records that others made in the zone go too."""
    if not context.get("in.forceDestroy"):
        return
    found = context.call("list_resource_record_sets", {"HostedZoneId": context.id})["ResourceRecordSets"]
    gone = [
        {"Action": "DELETE", "ResourceRecordSet": record} for record in found if record["Type"] not in ("NS", "SOA")
    ]
    if gone:
        context.call("change_resource_record_sets", {"HostedZoneId": context.id, "ChangeBatch": {"Changes": gone}})


def _health_check(context: Context) -> dict[str, Any]:
    """A health check in AWS's form: the provider's words, and its defaults."""
    given = context.inputs
    words = {
        "childHealthThreshold": "HealthThreshold",
        "childHealthchecks": "ChildHealthChecks",
        "disabled": "Disabled",
        "enableSni": "EnableSNI",
        "failureThreshold": "FailureThreshold",
        "fqdn": "FullyQualifiedDomainName",
        "insufficientDataHealthStatus": "InsufficientDataHealthStatus",
        "invertHealthcheck": "Inverted",
        "ipAddress": "IPAddress",
        "measureLatency": "MeasureLatency",
        "port": "Port",
        "regions": "Regions",
        "requestInterval": "RequestInterval",
        "resourcePath": "ResourcePath",
        "routingControlArn": "RoutingControlArn",
        "searchString": "SearchString",
        "type": "Type",
    }
    config = {word: given[key] for key, word in words.items() if given.get(key) is not None}
    if given["type"].startswith("HTTPS"):
        config.setdefault("EnableSNI", True)
    if given.get("cloudwatchAlarmName"):
        config["AlarmIdentifier"] = {
            "Name": given["cloudwatchAlarmName"],
            "Region": given["cloudwatchAlarmRegion"],
        }
    return config


def _create_health_check(context: Context) -> dict[str, Any]:
    reference = context.inputs.get("referenceName") or _caller_reference(context)[:27]
    asked = {"CallerReference": reference, "HealthCheckConfig": _health_check(context)}
    return context.call("create_health_check", asked)


def _update_health_check(context: Context) -> None:
    """Type, interval and whether latency is measured are settled when the check is made."""
    config = _health_check(context)
    fixed = ("Type", "RequestInterval", "MeasureLatency", "RoutingControlArn")
    changeable = {key: value for key, value in config.items() if key not in fixed}
    context.call("update_health_check", {"HealthCheckId": context.id, **changeable})


_CHANGEABLE_CHECK = (
    "childHealthThreshold",
    "childHealthchecks",
    "cloudwatchAlarmName",
    "cloudwatchAlarmRegion",
    "disabled",
    "enableSni",
    "failureThreshold",
    "fqdn",
    "insufficientDataHealthStatus",
    "invertHealthcheck",
    "ipAddress",
    "port",
    "regions",
    "resourcePath",
    "searchString",
)


def full_name(context: Context) -> str:
    """The record's whole name: the provider adds the zone's when the program left it out."""
    if context.out.get("fqdn"):
        return str(context.out["fqdn"])
    name = str(context.inputs["name"]).rstrip(".")
    zone = str(context.call("get_hosted_zone", {"Id": context.inputs["zoneId"]})["HostedZone"]["Name"]).rstrip(".")
    return name if context.synthetic or f".{name}".endswith(f".{zone}") else f"{name}.{zone}".lstrip(".")


def _record(given: dict[str, Any], fqdn: str) -> dict[str, Any]:
    """A record set in AWS's form; each routing policy of the provider is a field or two here."""
    record: dict[str, Any] = {"Name": fqdn, "Type": given["type"]}
    simple = {
        "setIdentifier": "SetIdentifier",
        "ttl": "TTL",
        "healthCheckId": "HealthCheckId",
        "multivalueAnswerRoutingPolicy": "MultiValueAnswer",
    }
    record |= {word: given[key] for key, word in simple.items() if given.get(key) is not None}
    if given.get("records"):
        record["ResourceRecords"] = [{"Value": _value(given["type"], value)} for value in given["records"]]
    for alias in given.get("aliases") or []:
        record["AliasTarget"] = {
            "DNSName": alias["name"],
            "HostedZoneId": alias["zoneId"],
            "EvaluateTargetHealth": alias["evaluateTargetHealth"],
        }
    for policy in given.get("failoverRoutingPolicies") or []:
        record["Failover"] = policy["type"]
    for policy in given.get("weightedRoutingPolicies") or []:
        record["Weight"] = policy["weight"]
    for policy in given.get("latencyRoutingPolicies") or []:
        record["Region"] = policy["region"]
    for policy in given.get("geolocationRoutingPolicies") or []:
        words = {"continent": "ContinentCode", "country": "CountryCode", "subdivision": "SubdivisionCode"}
        record["GeoLocation"] = {word: policy[key] for key, word in words.items() if policy.get(key)}
    return record


def _value(kind: str, value: str) -> str:
    """AWS requires texts in quotation marks; the provider adds them."""
    return f'"{value}"' if kind in ("TXT", "SPF") and not value.startswith('"') else value


def _change(context: Context, action: str) -> dict[str, Any]:
    fqdn = full_name(context)
    changes = [{"Action": action, "ResourceRecordSet": _record(context.inputs, fqdn)}]
    zone = {"HostedZoneId": context.inputs["zoneId"], "ChangeBatch": {"Changes": changes}}
    return {**context.call("change_resource_record_sets", zone), "Name": fqdn}


def _create_record(context: Context) -> dict[str, Any]:
    return _change(context, "UPSERT" if context.inputs.get("allowOverwrite") else "CREATE")


def _update_record(context: Context) -> None:
    _change(context, "UPSERT")


def _delete_record(context: Context) -> None:
    _change(context, "DELETE")


def _record_id(context: Context) -> str:
    given = context.inputs
    parts = [given["zoneId"], given["name"], given["type"], given.get("setIdentifier")]
    return "_".join(str(part) for part in parts if part)


_CHANGEABLE_RECORD = (
    "aliases",
    "allowOverwrite",
    "failoverRoutingPolicies",
    "geolocationRoutingPolicies",
    "healthCheckId",
    "latencyRoutingPolicies",
    "multivalueAnswerRoutingPolicy",
    "records",
    "ttl",
    "weightedRoutingPolicies",
)

TYPES = {
    "aws:route53/zone:Zone": Entry(
        service="route53",
        region=_REGION,
        create=Do(_zone, takes=("name", "comment", "delegationSetId", "vpcs")),
        update=(Call("update_hosted_zone_comment", {"Id": "{id}", "Comment": "{in.comment}"}),),
        id=lambda context: str(context.made["HostedZone"]["Id"]).rpartition("/")[2],
        read=Call("get_hosted_zone", {"Id": "{id}"}),
        delete=(Do(_empty), Call("delete_hosted_zone", {"Id": "{id}"})),
        defaults={"comment": "Managed by Pulumi", "forceDestroy": False},
        provider_only={"forceDestroy": "counts when the zone is deleted"},
        tags=Tags(resource="{id}", kind="hostedzone", inline=False),
        outputs={
            "arn": "arn:aws:route53:::hostedzone/{id}",
            "zoneId": "{id}",
            "nameServers": Maybe(value="{found.DelegationSet.NameServers}", otherwise=[]),
            "primaryNameServer": Maybe(value="{found.DelegationSet.NameServers[0]}"),
        },
    ),
    "aws:route53/healthCheck:HealthCheck": Entry(
        service="route53",
        region=_REGION,
        create=Do(
            _create_health_check,
            takes=(
                *_CHANGEABLE_CHECK,
                "measureLatency",
                "referenceName",
                "requestInterval",
                "routingControlArn",
                "type",
            ),
        ),
        update=(Do(_update_health_check, takes=_CHANGEABLE_CHECK),),
        id="{made.HealthCheck.Id}",
        delete=(Call("delete_health_check", {"HealthCheckId": "{id}"}),),
        provider_only={"triggers": "only makes the provider send the check again"},
        tags=Tags(resource="{id}", kind="healthcheck", inline=False),
        outputs={"arn": "arn:aws:route53:::healthcheck/{id}"},
    ),
    "aws:route53/record:Record": Entry(
        service="route53",
        region=_REGION,
        create=Do(_create_record, takes=(*_CHANGEABLE_RECORD, "name", "type", "setIdentifier", "zoneId")),
        update=(Do(_update_record, takes=_CHANGEABLE_RECORD),),
        id=_record_id,
        delete=(Do(_delete_record),),
        outputs={"fqdn": "{made.Name}"},
    ),
}
