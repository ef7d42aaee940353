"""One address of a data plane: what happens to its connections, and how it fails when its region is lost.

`error`: connections are refused and open ones are closed. `reset`: new and open ones get a TCP reset. `hang`:
connecting never ends and open connections fall silent. A port without a region (an accelerator's) never fails. The
address stays reserved for as long as the port exists.
"""

import asyncio
import logging
import socket
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any, Protocol

from localaws.core.outages import Gate, Outage, OutageKind
from localaws.net.listener import Listening, reset_socket

logger = logging.getLogger(__name__)

OPEN_CONNECTIONS = 2000  # of one front; a newer one is reset, so that a runaway client cannot take every descriptor


class Connection(Protocol):
    """What a port may do to a connection it let in."""

    def freeze(self) -> None:
        """Move no more bytes, in either direction."""

    def thaw(self) -> None:
        """Move bytes again."""

    def finish(self) -> None:
        """Close it in order."""

    def reset(self) -> None:
        """Close it with a TCP reset."""


class Port(ABC):
    """A listening address; subclasses say what happens to a connection. Lives on one event loop."""

    what: str  # how refused connections are counted, such as "nlb"

    def __init__(self, gate: Gate, region: str | None) -> None:
        self.region = region
        self.outage: Outage | None = None
        self.connections: set[Connection] = set()
        self._gate = gate
        self._listening = Listening(self._let_in)
        self._arriving: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> tuple[str, int]:
        return self._listening.address

    @abstractmethod
    async def arrive(self, connection: socket.socket, client: str) -> None:
        """Serve a new connection from an IP address, or hand it to something that is in `connections` while open."""

    def open(self) -> None:
        self.turn(self._gate.outage(self.region) if self.region else None)

    def turn(self, outage: Outage | None) -> None:
        """Take on the region's state: called at the start, and on every change."""
        self.outage = outage
        if outage is None:
            self._listening.accept()
            for connection in tuple(self.connections):
                connection.thaw()
            return
        if outage.kind is OutageKind.HANG:
            self._listening.hang()
        elif outage.kind is OutageKind.RESET:
            self._listening.accept()
        else:
            self._listening.refuse()
        for connection in tuple(self.connections):
            self.fail(connection, outage.kind)

    def fail(self, connection: Connection, kind: OutageKind) -> None:
        """Let an outage have its way with an open connection, and count it."""
        self._count_refused()
        if kind is OutageKind.HANG:
            connection.freeze()
        elif kind is OutageKind.RESET:
            connection.reset()
        else:
            connection.finish()

    def close(self) -> None:
        """Give the address back and end every connection."""
        self._listening.close()
        for task in tuple(self._arriving):
            task.cancel()
        for connection in tuple(self.connections):
            connection.reset()

    def _count_refused(self) -> None:
        if self.region:
            self._gate.refuse(self.region, f"data:{self.what}")

    def _let_in(self, connection: socket.socket, client: str) -> None:
        if self.outage is not None:
            self._count_refused()
            reset_socket(connection)
        elif max(len(self.connections), len(self._arriving)) >= OPEN_CONNECTIONS:
            where = f"{self.what} at port {self.address[1]}"
            logger.warning("%s: %d connections open, a new one is reset", where, OPEN_CONNECTIONS)
            reset_socket(connection)
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._serve(self.arrive(connection, client))

    def _serve(self, arrival: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(arrival)
        self._arriving.add(task)
        task.add_done_callback(self._arrived)

    def _arrived(self, task: asyncio.Task[None]) -> None:
        self._arriving.discard(task)
        if not task.cancelled() and (problem := task.exception()):
            logger.error("%s: a connection failed", self.what, exc_info=problem)


# TCP fronts on loopback: what load balancers and accelerators do with a connection, and how a lost region fails.
