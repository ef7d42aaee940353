"""TCP proxies in front of PostgreSQL that can be cut, can fall silent, and can be slow.

Each database has one in front of it, a stable address for its clients, and one on its inbound WAL stream. The lag is
in the latter and not in the standby's settings: `recovery_min_apply_delay` would hold WAL that has arrived, and a
promotion replays that. What a link has not delivered yet is lost when it is cut, as between regions.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from localaws.core.outages import OutageKind
from localaws.net.proxy import Delay, Proxy, Route

T = TypeVar("T")

COPY_BOTH_RESPONSE = ord("W")  # PostgreSQL protocol: from here on the server streams WAL
HEADER = 5  # one byte of type, four of length (which counts itself)


class RelayLoop:
    """An event loop in a thread of its own, where all relays run, so that nothing else can delay them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="postgres-relays", daemon=True)
        self._thread.start()

    def call(self, function: Callable[[], T]) -> T:
        """Call `function` on the loop, from any other thread, and wait for its result."""

        async def work() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(work(), self._loop).result(timeout=10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Relay:
    """Passes connections from its own loopback port on to another one, which may change. Cut at first."""

    def __init__(self, loop: RelayLoop) -> None:
        self._loop = loop
        self._state: tuple[int | None, OutageKind | None] = (None, OutageKind.RESET)
        self._proxy = loop.call(self._make_proxy)
        self.port: int = self._proxy.address[1]

    @property
    def is_open(self) -> bool:
        return self._state[0] is not None

    def open(self, target: int) -> None:
        """Pass new connections on to 127.0.0.1:`target`; earlier ones, also silent ones, are reset."""
        self._loop.call(lambda: self._switch(target, None))

    def cut(self, kind: OutageKind = OutageKind.RESET) -> None:
        """Pass nothing. Connections are reset, or with `hang` stay open and silent until `open`."""
        self._loop.call(lambda: self._switch(None, kind if kind is OutageKind.HANG else OutageKind.RESET))

    def close(self) -> None:
        self._loop.call(self._proxy.close)

    def _make_proxy(self) -> Proxy:
        proxy = Proxy("postgres", self._route, delay=self._delay)
        proxy.apply(OutageKind.RESET)
        return proxy

    def _delay(self) -> Delay | None:
        return None

    def _route(self, _client: str) -> Route | None:
        target = self._state[0]
        return Route(("127.0.0.1", target)) if target is not None else None

    def _switch(self, target: int | None, cut: OutageKind | None) -> None:
        if (target, cut) == self._state:
            return
        self._state = target, cut
        if cut is not OutageKind.HANG:
            for connection in tuple(self._proxy.connections):
                connection.reset()
        self._proxy.apply(cut)


class WalLink(Relay):
    """The route of a standby's WAL stream. What the writer sends arrives `lag` seconds later."""

    lag = 0.0  # seconds on this machine between the sending of WAL and its arrival

    def set_lag(self, seconds: float) -> None:
        """Deliver WAL `seconds` after it was sent; this applies to WAL already under way, too."""
        if seconds < 0:
            raise ValueError(f"lag is {seconds} s; WAL cannot arrive before it was sent")
        self.lag = seconds

    def _delay(self) -> Delay:
        return _WalDelay(self)


class _WalDelay(Delay):
    def __init__(self, link: WalLink) -> None:
        self._link = link
        self._handshake = Handshake()

    def seconds(self) -> float:
        return self._link.lag

    def prompt(self, data: bytes) -> int:
        return self._handshake.length(data)


class Handshake:
    """Separates the server's messages of a replication handshake from the WAL stream that follows them.

    A login takes several round trips, which the lag must not multiply; so only the stream is delayed.
    """

    def __init__(self) -> None:
        self._header = bytearray()
        self._body = 0
        self._last = False

    def length(self, data: bytes) -> int:
        """The number of the next bytes that still belong to the handshake."""
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
