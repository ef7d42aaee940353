"""A listening address on loopback that stays reserved while it accepts, refuses, resets, or lets connections hang.

`error`: connections are refused and open ones are closed. `reset`: new and open ones get a TCP reset. `hang`:
connecting never ends and open connections fall silent.
"""

import asyncio
import contextlib
import logging
import socket
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from localaws.core.outages import OutageKind

logger = logging.getLogger(__name__)

OPEN_CONNECTIONS = 2000  # of one port; a newer one is reset, so that a runaway client cannot take every descriptor
BACKLOG = 1024  # beyond, the kernel drops connections: their clients retry after one second, and then three
_ACCEPTED_AT_ONCE = 64  # before others on the loop have their turn
ACCEPT_PAUSE = 0.05  # seconds, after the machine refused us a socket
_LINGER_FOR_NO_TIME = struct.pack("ii", 1, 0)  # makes close() send a reset


def reset_socket(connection: socket.socket) -> None:
    """Close `connection` so that its peer sees a TCP reset."""
    with contextlib.suppress(OSError):  # the peer may be gone already, which is what is wanted
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_FOR_NO_TIME)
    connection.close()


def reset_transport(transport: asyncio.WriteTransport) -> None:
    """Close `transport`, TLS or not, so that its peer sees a TCP reset."""
    connection = transport.get_extra_info("socket")
    if connection is not None and not transport.is_closing():
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_FOR_NO_TIME)
    transport.abort()


class ListeningSocket:
    """Calls `on_connection(socket, client's IP address)` for each new connection. Lives on one event loop."""

    def __init__(self, on_connection: Callable[[socket.socket, str], None]) -> None:
        self._on_connection = on_connection
        self._reserved = _bound("127.0.0.1", 0)
        self.address: tuple[str, int] = self._reserved.getsockname()
        self._socket: socket.socket | None = None
        self._plugs: list[socket.socket] = []
        self._plugged_from: set[int] = set()

    def accept(self) -> None:
        listening = self._open()
        listening.listen(BACKLOG)
        self._unplug()
        asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    def refuse(self) -> None:
        """Refuse connections from now on, and reset those that waited."""
        self._unplug()
        if self._socket:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def hang(self) -> None:
        """Let no handshake end: the queue holds one connection, and that one is ours. The kernel drops the others'."""
        listening = self._open()
        asyncio.get_running_loop().remove_reader(listening)
        listening.listen(0)
        for _ in range(2):
            plug = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            plug.setblocking(False)
            plug.connect_ex(self.address)
            self._plugged_from.add(plug.getsockname()[1])
            self._plugs.append(plug)

    def close(self) -> None:
        self.refuse()
        self._reserved.close()

    def _open(self) -> socket.socket:
        if self._socket is None:
            self._socket = _bound(*self.address)
            self._socket.listen(BACKLOG)
            self._socket.setblocking(False)
            self._plugged_from.clear()
        return self._socket

    def _unplug(self) -> None:
        for plug in self._plugs:
            plug.close()
        self._plugs.clear()

    def _accept(self, listening: socket.socket) -> None:
        """Called while connections wait. Not asyncio's `sock_accept`: cancelled, it can lose one it has accepted."""
        for _ in range(_ACCEPTED_AT_ONCE):
            if listening is not self._socket or self._plugs:  # a connection just accepted may have closed or hung it
                return
            try:
                connection, (client, port) = listening.accept()
            except BlockingIOError:
                return
            except OSError as problem:  # out of descriptors: try again when some are free
                logger.warning("event=accept_failed port=%d: %s", self.address[1], problem)
                loop = asyncio.get_running_loop()
                loop.remove_reader(listening)
                loop.call_later(ACCEPT_PAUSE, self._resume, listening)
                return
            if port in self._plugged_from:
                self._plugged_from.discard(port)
                connection.close()
                continue
            connection.setblocking(False)
            self._on_connection(connection, client)

    def _resume(self, listening: socket.socket) -> None:
        if listening is self._socket and not self._plugs:
            asyncio.get_running_loop().add_reader(listening, self._accept, listening)


def _bound(host: str, port: int) -> socket.socket:
    """A bound socket that shares its address: one reserves it for good, another listens while the region is up."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


class Connection(Protocol):
    """A connection that a port accepted."""

    def freeze(self) -> None:
        """Move no more bytes, in either direction."""

    def thaw(self) -> None:
        """Move bytes again."""

    def finish(self) -> None:
        """Close it in order."""

    def reset(self) -> None:
        """Close it with a TCP reset."""


class Port(ABC):
    """A listening address; subclasses serve its connections. Lives on one event loop.

    `name` appears in log lines. `on_refused` is called for each connection that an outage refuses or breaks.
    """

    def __init__(self, name: str, on_refused: Callable[[], None] = lambda: None) -> None:
        self.name = name
        self.outage: OutageKind | None = None
        self.connections: set[Connection] = set()
        self._on_refused = on_refused
        self._listening = ListeningSocket(self._admit)
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> tuple[str, int]:
        return self._listening.address

    @abstractmethod
    async def serve(self, connection: socket.socket, client: str) -> None:
        """Serve a new connection from an IP address, or hand it to something that is in `connections` while open."""

    def apply(self, outage: OutageKind | None) -> None:
        """Follow the region's state: called to open the port, and on every change."""
        self.outage = outage
        if outage is None:
            self._listening.accept()
            for connection in tuple(self.connections):
                connection.thaw()
            return
        if outage is OutageKind.HANG:
            self._listening.hang()
        elif outage is OutageKind.RESET:
            self._listening.accept()
        else:
            self._listening.refuse()
        for connection in tuple(self.connections):
            self.fail(connection, outage)

    def fail(self, connection: Connection, outage: OutageKind) -> None:
        """Break an open connection as the outage does, and report it to `on_refused`."""
        self._on_refused()
        if outage is OutageKind.HANG:
            connection.freeze()
        elif outage is OutageKind.RESET:
            connection.reset()
        else:
            connection.finish()

    def close(self) -> None:
        """Release the address and end every connection."""
        self._listening.close()
        for task in tuple(self._serving):
            task.cancel()
        for connection in tuple(self.connections):
            connection.reset()

    def _admit(self, connection: socket.socket, client: str) -> None:
        if self.outage is not None:
            self._on_refused()
            reset_socket(connection)
        elif max(len(self.connections), len(self._serving)) >= OPEN_CONNECTIONS:
            logger.warning("event=connection_limit %s port=%d open=%d", self.name, self.address[1], OPEN_CONNECTIONS)
            reset_socket(connection)
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = asyncio.get_running_loop().create_task(self.serve(connection, client))
            self._serving.add(task)
            task.add_done_callback(self._served)

    def _served(self, task: asyncio.Task[None]) -> None:
        self._serving.discard(task)
        if not task.cancelled() and (problem := task.exception()):
            logger.error("event=connection_failed %s", self.name, exc_info=problem)
