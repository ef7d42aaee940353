"""Records of hosted zones."""

from typing import Any

from localaws.runner.context import Context
from localaws.runner.table import Do, Entry

_REGION = "us-east-1"


def _fqdn(context: Context) -> str:
    """The record's whole name: the provider adds the zone's when the program left it out."""
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
    """AWS wants texts in quotation marks; the provider adds them."""
    return f'"{value}"' if kind in ("TXT", "SPF") and not value.startswith('"') else value


def _change(context: Context, action: str) -> dict[str, Any]:
    fqdn = context.out.get("fqdn") or _fqdn(context)
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
