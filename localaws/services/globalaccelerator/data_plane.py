"""The data plane of accelerators: each new connection goes to an endpoint by distance, dial, weight and health.

An accelerator is outside the regions: it never fails, and it detects a lost region by target health alone.

- The dial limits the share of connections that stay with a group; the rest goes to the next nearest one [GA-8].
- Without a healthy endpoint of a weight above zero, the three closest groups are tried whatever their dials; without
  one there, a random endpoint of the closest group [GA-1].
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from localaws.core.outages import Outages
from localaws.core.saturation import Saturation
from localaws.net.proxy import Proxy, Route
from localaws.services.globalaccelerator.api import GlobalAccelerator
from localaws.services.globalaccelerator.distance import kilometres, nearest_first
from localaws.services.globalaccelerator.records import Accelerator, Endpoint, EndpointGroup

GROUPS_TRIED = 3


def choose(
    nearest_first: Sequence[EndpointGroup], is_healthy: Callable[[str], bool], draw: Callable[[], float]
) -> tuple[EndpointGroup, Endpoint] | None:
    """The endpoint for one connection, `draw` giving numbers in [0, 1). None when no group has an endpoint at all."""
    original = _by_dial(nearest_first, draw)
    for group in (*([original] if original else []), *nearest_first[:GROUPS_TRIED]):
        if endpoints := usable(group, is_healthy):
            return group, _by_weight(endpoints, draw)
    for group in nearest_first:  # fails open, to whatever is closest
        if group.endpoints:
            return group, group.endpoints[int(draw() * len(group.endpoints))]
    return None


def usable(group: EndpointGroup, is_healthy: Callable[[str], bool]) -> list[Endpoint]:
    return [endpoint for endpoint in group.endpoints if endpoint.weight > 0 and is_healthy(endpoint.id)]


def _by_dial(nearest_first: Sequence[EndpointGroup], draw: Callable[[], float]) -> EndpointGroup | None:
    """The group if all were healthy. What every dial turns away goes to the farthest group with a dial above 0.

    That is AWS's own example: with two dials at 50, a coast sends the second half of its traffic to the other one.
    """
    dialled = [group for group in nearest_first if group.dial > 0 and group.endpoints]
    for group in dialled:
        if draw() * 100 < group.dial:
            return group
    return dialled[-1] if dialled else None


def _by_weight(endpoints: Sequence[Endpoint], draw: Callable[[], float]) -> Endpoint:
    mark = draw() * sum(endpoint.weight for endpoint in endpoints)
    for endpoint in endpoints:
        mark -= endpoint.weight
        if mark < 0:
            return endpoint
    return endpoints[-1]


AddressOf = Callable[[str, int], tuple[str, int] | None]
Key = tuple[str, int]


class AcceleratorPorts:
    """One port per port of each enabled accelerator's listeners. Lives on the traffic loop.

    `address_of(load balancer ARN, port)` and `is_healthy(load balancer ARN)` describe the endpoints.
    """

    def __init__(
        self,
        outages: Outages,
        state: GlobalAccelerator,
        client_region: str,
        address_of: AddressOf,
        is_healthy: Callable[[str], bool],
        saturation: Saturation,
    ) -> None:
        kilometres(client_region, client_region)  # an unknown region fails here, not at the first connection
        self._outages = outages
        self._state = state
        self._client_region = client_region
        self._address_of = address_of
        self._is_healthy = is_healthy
        self._saturation = saturation
        self._shed = 0  # connections reset while too many TLS handshakes were under way
        self._ports: dict[Key, Proxy] = {}
        self._listeners: dict[Key, str] = {}  # the listener behind a port; it may be replaced
        self._sent: dict[str, Counter[str]] = {}

    def address(self, accelerator: str, port: int) -> tuple[str, int] | None:
        found = self._ports.get((accelerator, port))
        return found.address if found else None

    def follow(self) -> None:
        enabled = [record for record in tuple(self._state.accelerators.values()) if record.enabled]
        wanted = {
            (record.arn, port): listener.arn
            for record in enabled
            for listener in self._state.listeners_of(record.arn)
            for port in listener.ports
        }
        for key in [key for key in self._ports if key not in wanted]:
            self._ports.pop(key).close()
        self._listeners = wanted
        for key in wanted:
            if key not in self._ports:
                self._ports[key] = self._proxy(key)
                self._ports[key].apply(None)
        for gone in [arn for arn in self._sent if arn not in self._state.accelerators]:
            del self._sent[gone]

    def close(self) -> None:
        for key in tuple(self._ports):
            self._ports.pop(key).close()

    def status(self) -> list[dict[str, Any]]:
        return [self._status(record) for record in tuple(self._state.accelerators.values())]

    def _proxy(self, key: Key) -> Proxy:
        return Proxy("accelerator", lambda client: self._route(key, client), on_unreached=self._count_refused)

    def _count_refused(self, region: str) -> None:
        """A lost region's load balancer refuses connections in the kernel; they are counted here, at the caller."""
        if self._outages.is_lost(region):
            self._outages.refuse(region, "data:nlb")

    def _route(self, key: Key, client: str) -> Route | None:
        listener = self._listeners[key]
        record = self._state.listeners.get(listener)
        groups = {group.region: group for group in self._state.groups_of(listener)}
        order = nearest_first(self._client_region, groups)
        sticky = record is not None and record.client_affinity == "SOURCE_IP"
        draw = random.Random(client).random if sticky else random.random
        chosen = choose([groups[region] for region in order], self._is_healthy, draw)
        if chosen is None:
            return None
        group, endpoint = chosen
        accelerator, port = key
        address = self._address_of(endpoint.id, group.port_overrides.get(port, port))
        if address is None:
            return None
        opening = self._ports[key].opening(group.region)
        if opening >= self._saturation.most_opening and not self._outages.is_lost(group.region):
            self._shed += 1
            return None
        self._sent.setdefault(accelerator, Counter())[group.region] += 1
        return Route(address, group.region)

    def _status(self, record: Accelerator) -> dict[str, Any]:
        listeners = self._state.listeners_of(record.arn)
        ports = [port for (accelerator, _), port in tuple(self._ports.items()) if accelerator == record.arn]
        opened: Counter[str] = Counter()
        for port in ports:
            opened.update(port.open_by_label())
        return {
            "arn": record.arn,
            "dns_name": record.dns_name,
            "address": "{}:{}".format(*ports[0].address) if ports else None,
            "endpoint_groups": [
                {"region": group.region, "healthy": bool(usable(group, self._is_healthy)), "dial": group.dial}
                for listener in listeners
                for group in self._state.groups_of(listener.arn)
            ],
            "traffic": dict(self._sent.get(record.arn, {})),
            "open_connections": dict(opened),
            "shed_connections": self._shed,
        }
