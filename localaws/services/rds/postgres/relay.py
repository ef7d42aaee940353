"""The network around PostgreSQL: small TCP relays that can be cut, can fall silent, and can be slow.

Each database has one relay in front of it, a stable address for its clients, and one on its inbound WAL stream. The lag
sits in the latter and not in the standby's settings: `recovery_min_apply_delay` would hold WAL that has arrived, and a
promotion replays that. What a relay has not delivered yet is lost when the link is cut, as between regions.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from localaws.core.outages import OutageKind

T = TypeVar("T")

CHUNK = 1 << 16
COPY_BOTH_RESPONSE = ord("W")  # PostgreSQL protocol: from here on the server streams WAL
HEADER = 5  # one byte of type, four of length (which counts itself)


class Relays:
    """An event loop in a thread of its own, where all relays run, so that nothing else can delay them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="postgres-relays", daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the relays' loop, from any other thread, and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Relay:
    """Passes connections from its own loopback port on to another one, which may change."""

    def __init__(self, relays: Relays) -> None:
        self._relays = relays
        self._target: int | None = None
        self._cut: OutageKind | None = None
        self._clients: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._released = asyncio.Event()
        self._server = relays.call(self._listen())
        self.port: int = self._server.sockets[0].getsockname()[1]

    @property
    def is_open(self) -> bool:
        return self._target is not None

    def open(self, target: int) -> None:
        """Pass new connections on to 127.0.0.1:`target`; those of before, also silent ones, end."""
        self._relays.call(self._switch(target, None))

    def cut(self, kind: OutageKind = OutageKind.RESET) -> None:
        """Stop passing anything. Connections are reset, or with `hang` stay open and silent until `open`."""
        self._relays.call(self._switch(None, kind))

    def close(self) -> None:
        self.cut()
        self._relays.call(self._stop_listening())

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def _stop_listening(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _switch(self, target: int | None, cut: OutageKind | None) -> None:
        if (target, cut) == (self._target, self._cut):
            return
        self._target, self._cut = target, cut
        if cut is not OutageKind.HANG:
            self._released.set()
            self._released = asyncio.Event()
            clients = dict(self._clients)
            for task, client in clients.items():
                _reset_on_close(client)
                task.cancel()
            await asyncio.gather(*clients, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task, "a connection is served by a task"
        self._clients[task] = writer
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            return  # cut: asyncio would report the cancelled task as an error of ours
        finally:
            del self._clients[task]
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._target is not None:
            try:
                up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
            except OSError:
                return  # nobody listens there: the client sees its connection end
            pumps = [
                asyncio.create_task(self._upstream(reader, up_writer)),
                asyncio.create_task(self._downstream(up_reader, writer)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
                up_writer.transport.abort()
        if self._cut is OutageKind.HANG:
            await self._released.wait()  # a region that hangs does not say goodbye either
        elif self._cut:
            _reset_on_close(writer)

    async def _upstream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                await self._pass(data, writer)

    async def _downstream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._upstream(reader, writer)

    async def _pass(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            await self._released.wait()
        writer.write(data)
        await writer.drain()


class WalLink(Relay):
    """The way of a standby's WAL stream. What the writer sends arrives `lag` seconds later."""

    _lag = 0.0

    @property
    def lag(self) -> float:
        """Seconds on this machine between the sending of WAL and its arrival."""
        return self._lag

    def set_lag(self, seconds: float) -> None:
        """Deliver WAL `seconds` after it was sent; also what is under way keeps to the new figure."""
        if seconds < 0:
            raise ValueError(f"lag is {seconds} s; WAL cannot arrive before it was sent")
        self._relays.call(self._change_lag(seconds))

    async def _change_lag(self, seconds: float) -> None:
        self._lag = seconds

    async def _downstream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Unbounded on purpose: it is what the line between the regions holds at this moment.
        line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        delivery = asyncio.create_task(self._deliver(line, writer))
        handshake = Handshake()
        clock = asyncio.get_running_loop()
        try:
            with contextlib.suppress(ConnectionError):
                while data := await reader.read(CHUNK):
                    answers = handshake.length(data)
                    if answers:
                        await self._pass(data[:answers], writer)
                    if answers < len(data):
                        line.put_nowait((clock.time(), data[answers:]))
                await line.join()
        finally:
            delivery.cancel()
            await asyncio.gather(delivery, return_exceptions=True)

    async def _deliver(self, line: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        clock = asyncio.get_running_loop()
        while True:
            sent, data = await line.get()
            while (wait := sent + self._lag - clock.time()) > 0:
                await asyncio.sleep(min(wait, 0.05))  # in steps, so that a new lag counts at once
            with contextlib.suppress(ConnectionError):
                await self._pass(data, writer)
            line.task_done()


class Handshake:
    """Tells the server's answers of a replication connection from the WAL stream that follows them.

    A login takes several round trips, which the lag must not multiply; so only the stream is delayed.
    """

    def __init__(self) -> None:
        self._header = bytearray()
        self._body = 0
        self._last = False

    def length(self, data: bytes) -> int:
        """How many of the next bytes still belong to the handshake."""
        at = 0
        while at < len(data) and not (self._last and not self._body):
            if self._body:
                step = min(self._body, len(data) - at)
                self._body -= step
                at += step
                continue
            self._header.append(data[at])
            at += 1
            if len(self._header) == HEADER:
                self._last = self._header[0] == COPY_BOTH_RESPONSE
                self._body = int.from_bytes(self._header[1:]) - (HEADER - 1)
                self._header.clear()
        return at


def _reset_on_close(writer: asyncio.StreamWriter) -> None:
    """Make the end of this connection a reset instead of an orderly close."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
