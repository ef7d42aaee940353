"""An address on loopback that stays ours while it accepts, refuses, or lets connections hang."""

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Callable

logger = logging.getLogger(__name__)

WAITING_CONNECTIONS = 1024  # beyond, the kernel drops them: their clients ask again after one second, and then three
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


class Listening:
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
        listening.listen(WAITING_CONNECTIONS)
        self._unplug()
        asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    def refuse(self) -> None:
        """Connections are refused from now on, and those that waited are reset."""
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
            self._socket.listen(WAITING_CONNECTIONS)
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
            if listening is not self._socket or self._plugs:  # what one connection brought about
                return
            try:
                connection, (client, port) = listening.accept()
            except BlockingIOError:
                return
            except OSError as problem:  # out of descriptors: try again when some are free
                logger.warning("port %d: no connection accepted: %s", self.address[1], problem)
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
    """A bound socket that shares its address: one reserves it for good, another listens while the region lives."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound
