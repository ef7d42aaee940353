"""What Global Accelerator keeps: records that are never changed in place, so that any thread may read them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    id: str
    weight: int
    preserves_client_address: bool


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


@dataclass(frozen=True, kw_only=True)
class Listener:
    arn: str
    accelerator: str
    port_ranges: tuple[tuple[int, int], ...]
    client_affinity: str

    @property
    def ports(self) -> list[int]:
        return [port for first, last in self.port_ranges for port in range(first, last + 1)]


@dataclass(frozen=True, kw_only=True)
class EndpointGroup:
    arn: str
    listener: str
    region: str
    dial: float
    endpoints: tuple[Endpoint, ...]
    port_overrides: Mapping[int, int]
    health_check: Mapping[str, Any]  # stored and returned only: it does not apply to load balancer endpoints
