"""Global Accelerator's documents: requests checked against the service's own model, records in the model's shapes."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from botocore.model import ListShape, ServiceModel, Shape, StructureShape
from botocore.session import get_session
from botocore.validate import ParamValidator

from localaws.services.globalaccelerator.records import Accelerator, EndpointGroup, Listener
from localaws.services.globalaccelerator.rules import ApiError

TARGET_PREFIX = "GlobalAccelerator_V20180706"
PAGE = 10  # AWS's default number of results
HEALTH_CHECK_DEFAULTS = {
    "HealthCheckProtocol": "TCP",
    "HealthCheckPath": "/",
    "HealthCheckIntervalSeconds": 30,
    "ThresholdCount": 3,
}

Document = dict[str, Any]


@cache
def _model() -> ServiceModel:
    return get_session().get_service_model("globalaccelerator")


def knows(operation: str) -> bool:
    return operation in _model().operation_names


def check(operation: str, parameters: Document) -> None:
    """Refuse what the service's model does not allow. Raises InvalidArgumentException with the first problems."""
    shape = _model().operation_model(operation).input_shape
    if shape is None:
        return
    report = ParamValidator().validate(parameters, shape)
    problems = [report.generate_report()] if report.has_errors() else list(_beyond_limits(shape, parameters, ""))
    if problems:
        raise ApiError("InvalidArgumentException", "; ".join(problems[:3]))


def _beyond_limits(shape: Shape, value: Any, path: str) -> list[str]:
    """Upper limits and enumerations, which botocore leaves to the service."""
    if isinstance(shape, StructureShape):
        return [
            problem
            for name, member in shape.members.items()
            if name in value
            for problem in _beyond_limits(member, value[name], f"{path}.{name}".lstrip("."))
        ]
    most = shape.metadata.get("max")
    size = value if shape.type_name in ("integer", "float") else len(value) if isinstance(value, str | list) else None
    if most is not None and size is not None and size > most:
        return [f"{path} is {size}; {most} is the most"]
    if isinstance(shape, ListShape):
        return [
            problem
            for place, entry in enumerate(value)
            for problem in _beyond_limits(shape.member, entry, f"{path}[{place}]")
        ]
    allowed = getattr(shape, "enum", None)
    return [f"{path} is {value}; it must be one of {', '.join(allowed)}"] if allowed and value not in allowed else []


def parsed(body: bytes) -> Document:
    try:
        parameters = json.loads(body or b"{}")
    except ValueError:
        raise ApiError("SerializationException", "The request is not JSON.") from None
    if not isinstance(parameters, dict):
        raise ApiError("SerializationException", "The request is not a JSON object.")
    return parameters


def refuse_udp(parameters: Mapping[str, Any]) -> None:
    if parameters.get("Protocol", "TCP") != "TCP":
        raise ApiError("InvalidArgumentException", "The embedded AWS carries TCP only.")


def port_ranges(parameters: Mapping[str, Any]) -> list[tuple[int, int]]:
    ranges = parameters["PortRanges"]
    if any("FromPort" not in entry or "ToPort" not in entry for entry in ranges):
        raise ApiError("InvalidPortRangeException", "A port range needs FromPort and ToPort.")
    return [(entry["FromPort"], entry["ToPort"]) for entry in ranges]


def port_overrides(parameters: Mapping[str, Any]) -> dict[int, int]:
    return {entry["ListenerPort"]: entry["EndpointPort"] for entry in parameters.get("PortOverrides", ())}


def health_check(parameters: Mapping[str, Any]) -> Document:
    names = (*HEALTH_CHECK_DEFAULTS, "HealthCheckPort")
    return {name: parameters[name] for name in names if name in parameters}


def page(records: Sequence[Document], parameters: Mapping[str, Any], name: str) -> Document:
    """One page of a list. Raises InvalidNextTokenException."""
    token = parameters.get("NextToken", "0")
    if not token.isdecimal() or int(token) > len(records):
        raise ApiError("InvalidNextTokenException", f"There is no page {token}.")
    start = int(token)
    end = start + parameters.get("MaxResults", PAGE)
    more: Document = {"NextToken": str(end)} if end < len(records) else {}
    return {name: list(records[start:end])} | more


def accelerator(record: Accelerator, status: str) -> Document:
    addresses = list(record.addresses)
    return {
        "AcceleratorArn": record.arn,
        "Name": record.name,
        "IpAddressType": "IPV4",
        "Enabled": record.enabled,
        "IpSets": [{"IpFamily": "IPv4", "IpAddressFamily": "IPv4", "IpAddresses": addresses}],
        "DnsName": record.dns_name,
        "Status": status,
        "CreatedTime": record.created,
        "LastModifiedTime": record.modified,
    }


def listener(record: Listener) -> Document:
    return {
        "ListenerArn": record.arn,
        "PortRanges": [{"FromPort": first, "ToPort": last} for first, last in record.port_ranges],
        "Protocol": "TCP",
        "ClientAffinity": record.client_affinity,
    }


def endpoint_group(record: EndpointGroup, health: Mapping[str, str]) -> Document:
    return {
        "EndpointGroupArn": record.arn,
        "EndpointGroupRegion": record.region,
        "EndpointDescriptions": endpoints(record, health),
        "TrafficDialPercentage": record.dial,
        "PortOverrides": [
            {"ListenerPort": listener_port, "EndpointPort": port}
            for listener_port, port in record.port_overrides.items()
        ],
    } | dict(record.health_check)


def endpoints(record: EndpointGroup, health: Mapping[str, str]) -> list[Document]:
    return [
        {
            "EndpointId": endpoint.id,
            "Weight": endpoint.weight,
            "HealthState": health[endpoint.id],
            "ClientIPPreservationEnabled": endpoint.preserves_client_address,
        }
        for endpoint in record.endpoints
    ]
