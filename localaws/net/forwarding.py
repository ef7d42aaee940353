"""A front that passes each connection on to an address chosen when it opens: network load balancer, accelerator."""

import socket
from collections.abc import Callable
from dataclasses import dataclass

from localaws.core.outages import Gate
from localaws.net.listener import reset_socket
from localaws.net.port import Port
from localaws.net.relay import Relay


@dataclass(frozen=True)
class Way:
    """Where a connection goes, and under which label it is counted (a region, a target)."""

    address: tuple[str, int]
    label: str


class ForwardingPort(Port):
    """Asks `choose(client's IP address)` once per connection; an open connection keeps its way until it closes.

    `unreached(label)` is told of each connection that found nobody at the end of its way.
    """

    def __init__(
        self,
        gate: Gate,
        region: str | None,
        what: str,
        choose: Callable[[str], Way | None],
        unreached: Callable[[str], None] = lambda _label: None,
    ) -> None:
        super().__init__(gate, region)
        self.what = what
        self._choose = choose
        self._unreached = unreached
        self._relays: set[Relay] = set()

    async def arrive(self, connection: socket.socket, client: str) -> None:
        way = self._choose(client)
        if way is None:  # nowhere to go: a load balancer without any target resets
            reset_socket(connection)
            return
        relay = Relay(way.address, way.label, self._ended, lambda relay: self._unreached(relay.label))
        self._relays.add(relay)
        self.connections.add(relay)
        await relay.join(connection)

    def reset_label(self, label: str) -> None:
        """Reset the open connections that went to `label`."""
        for relay in [relay for relay in self._relays if relay.label == label]:
            relay.reset()

    def open_by_label(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for relay in tuple(self._relays):
            counts[relay.label] = counts.get(relay.label, 0) + 1
        return counts

    def opening(self, label: str) -> int:
        """Connections on their way to `label` from which no answer of any kind has come yet."""
        return sum(relay.label == label and relay.is_opening for relay in self._relays)

    def _ended(self, relay: Relay) -> None:
        self._relays.discard(relay)
        self.connections.discard(relay)
