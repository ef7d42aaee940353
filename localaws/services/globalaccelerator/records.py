"""Global Accelerator's records and their API documents. Never changed in place: any thread may read them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Accelerator:
    arn: str
    account: str
    name: str
    enabled: bool
    dns_name: str
    addresses: tuple[str, str]
    created: float  # Unix time
    modified: float
    changed_at: float  # AWS seconds of the clock
    flow_logs: Mapping[str, Any] = field(default_factory=lambda: {"FlowLogsEnabled": False})

    def document(self, status: str) -> Document:
        return {
            "AcceleratorArn": self.arn,
            "Name": self.name,
            "IpAddressType": "IPV4",
            "Enabled": self.enabled,
            "IpSets": [{"IpFamily": "IPv4", "IpAddressFamily": "IPv4", "IpAddresses": list(self.addresses)}],
            "DnsName": self.dns_name,
            "Status": status,
            "CreatedTime": self.created,
            "LastModifiedTime": self.modified,
        }


@dataclass(frozen=True, kw_only=True)
class Listener:
    arn: str
    accelerator: str
    port_ranges: tuple[tuple[int, int], ...]
    client_affinity: str

    @property
    def ports(self) -> list[int]:
        return [port for first, last in self.port_ranges for port in range(first, last + 1)]

    def document(self) -> Document:
        return {
            "ListenerArn": self.arn,
            "PortRanges": [{"FromPort": first, "ToPort": last} for first, last in self.port_ranges],
            "Protocol": "TCP",
            "ClientAffinity": self.client_affinity,
        }


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    id: str
    weight: int
    preserves_client_address: bool


@dataclass(frozen=True, kw_only=True)
class EndpointGroup:
    arn: str
    listener: str
    region: str
    dial: float  # percent
    endpoints: tuple[Endpoint, ...]
    port_overrides: Mapping[int, int]
    health_check: Mapping[str, Any]  # stored and returned only: it does not apply to load balancer endpoints

    def document(self, health_of: Callable[[str], str]) -> Document:
        """`health_of` gives INITIAL, HEALTHY or UNHEALTHY for an endpoint id."""
        return {
            "EndpointGroupArn": self.arn,
            "EndpointGroupRegion": self.region,
            "EndpointDescriptions": [
                {
                    "EndpointId": endpoint.id,
                    "Weight": endpoint.weight,
                    "HealthState": health_of(endpoint.id),
                    "ClientIPPreservationEnabled": endpoint.preserves_client_address,
                }
                for endpoint in self.endpoints
            ],
            "TrafficDialPercentage": self.dial,
            "PortOverrides": [
                {"ListenerPort": listener_port, "EndpointPort": port}
                for listener_port, port in self.port_overrides.items()
            ],
            **self.health_check,
        }
