"""A TCP proxy: each connection is relayed to an address chosen when it opens, with half-close and back-pressure.

A reset goes on to the other side. What comes from the target may be delayed, as on a line between regions.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from localaws.net.port import Port, reset_socket, reset_transport

CONNECT_SECONDS = 10.0  # of this machine: a target on loopback that needs longer is hanging
DRAIN_SECONDS = 1.0  # how long a finished connection waits for its client to notice
_DELAY_STEP = 0.05  # seconds between two checks of a delayed line, so that a new delay applies at once


@dataclass(frozen=True)
class Route:
    """The target of a connection, and the label under which it is counted (a region, a target)."""

    address: tuple[str, int]
    label: str = ""


class Delay(Protocol):
    """Delays the bytes from a target; one object per connection."""

    def seconds(self) -> float:
        """The present delay of a byte in seconds. A change applies to bytes already in transit."""

    def prompt(self, data: bytes) -> int:
        """The number of the next bytes that are passed on at once."""


class _Side(asyncio.Protocol):
    """One of the two connections of a relay. It reads only while no reason to pause is left."""

    def __init__(self, relay: "Relay", delay: Delay | None = None) -> None:
        self._relay = relay
        self._delay = delay
        self._line: deque[tuple[float, bytes]] = deque()  # time of reading, data; no data is the end of the stream
        self._pauses: set[str] = set()
        self.transport: asyncio.Transport | None = None
        self.peer: _Side | None = None
        self.at_end = False  # its end of stream has come
        self.has_sent = False

    @property
    def is_open(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        # Not at once: in Python 3.11.2 the transport starts to read after this call, paused or not.
        asyncio.get_running_loop().call_soon(self._stay_paused)

    def _stay_paused(self) -> None:
        if self._pauses and self.transport and self.is_open:
            self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        self.has_sent = True
        if self._delay is None:
            self._pass(data)
            return
        prompt = self._delay.prompt(data)
        if prompt:
            self._pass(data[:prompt])
        if prompt < len(data):
            self._enqueue(data[prompt:])

    def eof_received(self) -> bool:
        if self._line:
            self._enqueue(b"")
        else:
            self._end()
        return True

    def pause_writing(self) -> None:
        if self.peer:
            self.peer.pause("full")

    def resume_writing(self) -> None:
        if self.peer:
            self.peer.resume("full")

    def connection_lost(self, exc: Exception | None) -> None:
        self._line.clear()
        self._relay.lost(self, exc)

    def pause(self, reason: str) -> None:
        if not self._pauses and self.transport and self.is_open:
            self.transport.pause_reading()
        self._pauses.add(reason)

    def resume(self, *reasons: str) -> None:
        paused = bool(self._pauses)
        self._pauses.difference_update(reasons)
        if paused and not self._pauses and self.transport and self.is_open:
            self.transport.resume_reading()

    def end_writing(self) -> None:
        if self.transport and self.is_open:
            self.transport.write_eof()

    def close(self) -> None:
        if self.transport:
            self.transport.close()

    def reset(self) -> None:
        if self.transport:
            reset_transport(self.transport)

    def _pass(self, data: bytes) -> None:
        if self.peer and self.peer.transport and self.peer.is_open:
            self.peer.transport.write(data)

    def _end(self) -> None:
        self.at_end = True
        self._relay.ended_on(self)

    def _enqueue(self, data: bytes) -> None:
        """Unbounded on purpose: the queue is what the line between the regions holds at this moment."""
        self._line.append((asyncio.get_running_loop().time(), data))
        if len(self._line) == 1:
            self._deliver()

    def _deliver(self) -> None:
        assert self._delay, "only a delayed side has a line"
        loop = asyncio.get_running_loop()
        while self._line:
            read, data = self._line[0]
            wait = read + self._delay.seconds() - loop.time()
            if wait > 0:
                loop.call_later(min(wait, _DELAY_STEP), self._deliver)
                return
            self._line.popleft()
            if data:
                self._pass(data)
            else:
                self._end()


class Relay:
    """A client's connection joined to a target's.

    Calls `on_unreached` when the target cannot be connected to, and `on_end` once, when both connections are gone.
    """

    def __init__(
        self,
        route: Route,
        on_end: Callable[["Relay"], None],
        on_unreached: Callable[["Relay"], None],
        delay: Delay | None = None,
    ) -> None:
        self.route = route
        self._on_end = on_end
        self._on_unreached = on_unreached
        self._client = _Side(self)
        self._server = _Side(self, delay)
        self._doomed = False  # reset before there was anything to reset
        self._finishing = False
        self._over = False

    @property
    def is_opening(self) -> bool:
        """Nothing has come from the target so far: under TLS, the handshake is still to be computed."""
        return not self._server.has_sent

    async def join(self, connection: socket.socket) -> None:
        """Relay the client's `connection`, opening the target's. An unreachable target ends the client's."""
        loop = asyncio.get_running_loop()
        self._client.pause("no target yet")
        await loop.connect_accepted_socket(lambda: self._client, connection)
        if self._doomed:
            self._client.reset()
            return
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.create_connection(lambda: self._server, *self.route.address)
        except ConnectionResetError:
            self._client.reset()
            return
        except OSError:  # refused or (TimeoutError) silent
            self._on_unreached(self)
            self.finish()
            return
        if self._finishing or not self._client.is_open:  # the region was lost or the port closed meanwhile
            self._server.close()
            return
        self._client.peer, self._server.peer = self._server, self._client
        self._client.resume("no target yet")

    def freeze(self) -> None:
        self._client.pause("frozen")
        self._server.pause("frozen")

    def thaw(self) -> None:
        self._client.resume("frozen")
        self._server.resume("frozen")

    def finish(self) -> None:
        """Close in order: a socket closed with unread bytes would send a reset, so the client's are read away first."""
        self._finishing = True
        self._server.close()
        self._client.peer = None
        self._client.resume("no target yet", "frozen", "full")
        self._client.end_writing()
        asyncio.get_running_loop().call_later(DRAIN_SECONDS, self._client.close)

    def reset(self) -> None:
        self._doomed = True
        self._client.reset()
        self._server.reset()

    def ended_on(self, side: _Side) -> None:
        """`side` will send no more: pass that on; with both ended, or no peer, close."""
        if side.peer is None or side.peer.at_end:
            self._client.close()
            self._server.close()
        else:
            side.peer.end_writing()

    def lost(self, side: _Side, problem: Exception | None) -> None:
        """`side` is gone: its peer is closed likewise, in order or by a reset."""
        other = self._server if side is self._client else self._client
        if other.is_open:
            if problem:
                other.reset()
            elif not (self._finishing and other is self._client):
                other.close()
        elif not self._over:
            self._over = True
            self._on_end(self)


class Proxy(Port):
    """A port that relays. An open connection keeps its route until it closes.

    Called once per connection: `route(client's IP address)`; `delay()`, None for no delay; `on_unreached(label)` when
    the target could not be reached.
    """

    def __init__(
        self,
        name: str,
        route: Callable[[str], Route | None],
        *,
        on_refused: Callable[[], None] = lambda: None,
        on_unreached: Callable[[str], None] = lambda _label: None,
        delay: Callable[[], Delay | None] = lambda: None,
    ) -> None:
        super().__init__(name, on_refused)
        self._route = route
        self._on_unreached = on_unreached
        self._delay = delay
        self._relays: set[Relay] = set()

    async def serve(self, connection: socket.socket, client: str) -> None:
        route = self._route(client)
        if route is None:  # nowhere to go: a load balancer without any target resets
            reset_socket(connection)
            return
        relay = Relay(route, self._ended, self._unreached, self._delay())
        self._relays.add(relay)
        self.connections.add(relay)
        await relay.join(connection)

    def reset_connections(self, label: str) -> None:
        """Reset the open connections that went to `label`."""
        for relay in [relay for relay in self._relays if relay.route.label == label]:
            relay.reset()

    def open_by_label(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for relay in tuple(self._relays):
            counts[relay.route.label] = counts.get(relay.route.label, 0) + 1
        return counts

    def opening(self, label: str) -> int:
        """Connections on their way to `label` whose target has sent nothing yet."""
        return sum(relay.route.label == label and relay.is_opening for relay in self._relays)

    def _unreached(self, relay: Relay) -> None:
        self._on_unreached(relay.route.label)

    def _ended(self, relay: Relay) -> None:
        self._relays.discard(relay)
        self.connections.discard(relay)
