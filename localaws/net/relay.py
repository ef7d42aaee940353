"""Bytes from a client to a target and back, with half-close and back-pressure; a reset goes on to the other side."""

import asyncio
import socket
from collections.abc import Callable
from typing import cast

from localaws.net.listener import reset_transport

CONNECT_SECONDS = 10.0  # of this machine: a target on loopback that needs longer is hanging
DRAIN_SECONDS = 1.0  # how long a finished connection waits for its client to notice


class _Side(asyncio.Protocol):
    """One of the two connections of a relay. It reads only while no reason to pause is left."""

    def __init__(self, relay: "Relay") -> None:
        self._relay = relay
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
        if self._pauses:
            self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        self.has_sent = True
        if self.peer and self.peer.transport and self.peer.is_open:
            self.peer.transport.write(data)

    def eof_received(self) -> bool:
        self.at_end = True
        self._relay.ended_on(self)
        return True

    def pause_writing(self) -> None:
        if self.peer:
            self.peer.pause("full")

    def resume_writing(self) -> None:
        if self.peer:
            self.peer.resume("full")

    def connection_lost(self, exc: Exception | None) -> None:
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


class Relay:
    """A client's connection joined to a target's.

    Calls `on_unreached` when the target cannot be connected to, and `on_end` once, when both connections are gone.
    """

    def __init__(
        self,
        target: tuple[str, int],
        label: str,
        on_end: Callable[["Relay"], None],
        on_unreached: Callable[["Relay"], None],
    ) -> None:
        self.target = target
        self.label = label  # what the owner wants to remember of the choice, such as the region
        self._on_end = on_end
        self._on_unreached = on_unreached
        self._client = _Side(self)
        self._server = _Side(self)
        self._doomed = False  # reset before there was anything to reset
        self._finishing = False
        self._over = False

    @property
    def is_opening(self) -> bool:
        """Nothing has come from the target so far: under TLS, the handshake is still to be computed."""
        return not self._server.has_sent

    async def join(self, connection: socket.socket) -> None:
        """Take the client's `connection` and open the target's. A target that cannot be reached ends the client's."""
        loop = asyncio.get_running_loop()
        self._client.pause("no target yet")
        await loop.connect_accepted_socket(lambda: self._client, connection)
        if self._doomed:
            self._client.reset()
            return
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.create_connection(lambda: self._server, *self.target)
        except ConnectionResetError:
            self._client.reset()
            return
        except OSError:  # refused or (TimeoutError) silent
            self._on_unreached(self)
            self.finish()
            return
        if self._finishing or not self._client.is_open:  # the region was lost or the front closed meanwhile
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
        """`side` will send no more: pass that on; with both ended, or none to tell, close."""
        if side.peer is None or side.peer.at_end:
            self._client.close()
            self._server.close()
        else:
            side.peer.end_writing()

    def lost(self, side: _Side, problem: Exception | None) -> None:
        """`side` is gone: its peer goes the same way, in order or by a reset."""
        other = self._server if side is self._client else self._client
        if other.is_open:
            if problem:
                other.reset()
            elif not (self._finishing and other is self._client):
                other.close()
        elif not self._over:
            self._over = True
            self._on_end(self)
