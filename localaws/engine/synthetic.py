"""AWS answers without AWS: made from the service model alone, always the same for the same resource.

Parameters are checked as boto3 would check them. Texts are shaped like AWS's (ARNs, ids) and name nothing that exists.
"""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator

from localaws.provider import calls
from localaws.provider.calls import ACCOUNT

_PREFIXES = {
    "AllocationId": "eipalloc",
    "AssociationId": "rtbassoc",
    "GroupId": "sg",
    "InternetGatewayId": "igw",
    "NatGatewayId": "nat",
    "NetworkAclId": "acl",
    "NetworkInterfaceId": "eni",
    "RouteTableId": "rtb",
    "SecurityGroupRuleId": "sgr",
    "SubnetId": "subnet",
    "VpcEndpointId": "vpce",
    "VpcId": "vpc",
    "VpcPeeringConnectionId": "pcx",
}
_WHEN = datetime(2026, 1, 1, tzinfo=UTC)
_DEEPEST = 7  # levels; some shapes contain themselves


@dataclass(frozen=True)
class Synthetic:
    """A Caller for one resource (its URN); `bound` gives the one for another."""

    urn: str = ""
    synthetic: bool = True
    account: str = ACCOUNT

    def bound(self, urn: str) -> "Synthetic":
        return Synthetic(urn)

    def __call__(self, service: str, operation: str, region: str, parameters: dict[str, Any]) -> dict[str, Any]:
        model = calls.operation(service, operation)
        tokens = {
            name: str(uuid.UUID(int=0)) for name in model.idempotent_members if name not in parameters
        }  # as boto3 adds them
        parameters = {**tokens, **parameters}
        if model.input_shape:
            report = ParamValidator().validate(parameters, model.input_shape)
            if report.has_errors():
                raise ParamValidationError(report=report.generate_report())
        if (service, operation) in _ANSWERS:
            return _ANSWERS[service, operation](region)
        if model.output_shape is None:
            return {}
        answer: dict[str, Any] = self._make(model.output_shape, "", f"{service}:{region}", parameters, 0)
        return answer

    def _make(self, shape: Any, name: str, where: str, parameters: dict[str, Any], depth: int) -> Any:
        kind = shape.type_name
        if kind == "structure":
            return {
                key: self._make(member, key, where, parameters, depth + 1)
                for key, member in shape.members.items()
                if depth < _DEEPEST
            }
        if kind == "list":
            return [self._make(shape.member, name, where, parameters, depth + 1)]
        if kind == "map":
            return {}
        if kind == "string":
            return self._text(shape, name, where, parameters)
        if kind == "timestamp":
            return _WHEN
        return {"boolean": False, "blob": b"", "float": 1.0, "double": 1.0}.get(kind, 1)

    def _text(self, shape: Any, name: str, where: str, parameters: dict[str, Any]) -> str:
        given = next((value for key, value in parameters.items() if key.lower() == name.lower()), None)
        if isinstance(given, str):
            return given
        if getattr(shape, "enum", None):
            return str(shape.enum[0])
        digest = hashlib.sha256(f"{self.urn}{name}".encode()).hexdigest()
        service, _, region = where.partition(":")
        if name.lower().endswith("arn"):
            stem = name[:-3].lower().rstrip("_") or "resource"
            return f"arn:aws:{service}:{region}:{ACCOUNT}:{stem}/{self.urn.rpartition('::')[2]}/{digest[:16]}"
        if name in _PREFIXES:
            return f"{_PREFIXES[name]}-{digest[:17]}"
        if name == "DnsName" and service == "ec2":
            return f"vpce-{digest[:17]}-{digest[17:25]}.service.{region}.vpce.amazonaws.com"
        if name.lower() == "dnsname":
            return f"{self.urn.rpartition('::')[2]}-{digest[:16]}.{service}.{region}.amazonaws.com"
        if name == "UUID":
            return str(uuid.UUID(digest[:32]))
        if name == "EndpointUrl" and service == "events":
            return f"https://{digest[:10]}.veo.endpoint.events.amazonaws.com"
        return f"{name.lower()}-{digest[:12]}"


def _zones(region: str) -> dict[str, Any]:
    area = {"us-east-1": "use1", "us-east-2": "use2"}.get(region, region)
    letters = enumerate("abc", 1)
    zones = [
        {"ZoneName": f"{region}{letter}", "ZoneId": f"{area}-az{number}", "GroupName": region}
        for number, letter in letters
    ]
    return {"AvailabilityZones": zones}


def _identity(_: str) -> dict[str, Any]:
    return {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:root", "UserId": ACCOUNT}


_ANSWERS: dict[tuple[str, str], Callable[[str], dict[str, Any]]] = {
    ("ec2", "describe_availability_zones"): _zones,
    ("sts", "get_caller_identity"): _identity,
}
