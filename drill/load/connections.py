"""Client connections that are kept alive, but never for long: an accelerator decides per connection, so a client that
kept one for ever would never be moved, and one that reopened for every request would hide the difference."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

_GROUPS = 4
"""Sessions used in turn. They are replaced one after the other, so that not all connections are new at once."""

_UNUSED_SECONDS = 60.0  # that a session lasts whose connections are not kept

_RENEW_SECONDS = 0.5
"""A session whose connection broke is not replaced before it is this old: with many requests under way on a server that
fails them all, each failure would otherwise cost all of them a new TLS handshake."""

_HEADERS = {"content-type": "application/json", "user-agent": "drill"}


class _OneAddress(AbstractResolver):
    """Every name is at one address: what a client's DNS answer for the accelerator would be."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=self._host,
                port=self._port or port,
                family=family or socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Holds nothing."""


class _Group:
    """One session with its connections; replaced when old, closed when its last request has ended."""

    def __init__(self, session: aiohttp.ClientSession, until: float) -> None:
        self.session = session
        self.opened = time.monotonic()
        self.until = until
        self.users = 0


class Connections:
    """Posts over TLS to one address, with `headers` in each request. `reopen` is the longest a connection takes new
    requests, in seconds; with 0, each request has a connection of its own."""

    def __init__(
        self, host: str, port: int, tls: ssl.SSLContext, *, headers: Mapping[str, str], timeout: float, reopen: float
    ) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._headers = {**_HEADERS, **headers}
        self._timeout, self._reopen = timeout, reopen
        self._groups: list[_Group] = []
        self._turn = 0
        self._retired: set[_Group] = set()

    @asynccontextmanager
    async def post(self, url: str, content: bytes) -> AsyncIterator[aiohttp.ClientResponse]:
        """Raises TimeoutError, aiohttp.ClientError or OSError as the connection does."""
        group = await self._next()
        group.users += 1
        failed = True
        try:
            async with group.session.post(url, data=content, headers=self._headers) as response:
                yield response
                failed = False  # an error answer does not make the connection a bad one
        finally:
            if failed:
                group.until = min(group.until, group.opened + _RENEW_SECONDS)
            group.users -= 1
            if group in self._retired and not group.users:
                self._retired.discard(group)
                await group.session.close()

    async def close(self) -> None:
        groups = [*self._groups, *self._retired]
        self._groups, self._retired = [], set()
        await asyncio.gather(*(group.session.close() for group in groups))

    async def _next(self) -> _Group:
        now = time.monotonic()
        if not self._groups:
            step = (self._reopen or _UNUSED_SECONDS) / _GROUPS
            self._groups = [self._open(now + (index + 1) * step) for index in range(_GROUPS)]
        self._turn = (self._turn + 1) % _GROUPS
        group = self._groups[self._turn]
        if now >= group.until:
            self._groups[self._turn] = self._open(now + (self._reopen or _UNUSED_SECONDS))
            if group.users:
                self._retired.add(group)
            else:
                await group.session.close()
        return self._groups[self._turn]

    def _open(self, until: float) -> _Group:
        connector = aiohttp.TCPConnector(
            ssl=self._tls,
            resolver=_OneAddress(self._host, self._port),
            use_dns_cache=False,
            limit=0,  # the load bounds what is under way
            **({"keepalive_timeout": self._reopen} if self._reopen else {"force_close": True}),
        )
        timeout = aiohttp.ClientTimeout(total=self._timeout)
        return _Group(
            aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()), until
        )
