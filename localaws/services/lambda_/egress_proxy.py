"""The HTTP proxy through which a region's functions reach load balancers and APIs by their DNS names.

Functions reach AWS's own endpoints by AWS_ENDPOINT_URL. They call load balancers and APIs by name, on AWS through a NAT
gateway or a peering. No such name resolves on this machine; so each worker has HTTPS_PROXY set to its region's proxy,
which locates the name.
"""

import asyncio
import contextlib
import functools
import logging
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

from localaws.net import tls
from localaws.services import acm
from localaws.services.route53.names import Destination

logger = logging.getLogger(__name__)

_READ_SIZE = 64 * 1024
_CONNECT_SECONDS = 10.0
_HEAD_END = b"\r\n\r\n"

Locate = Callable[[str, int, str], Destination | None]
MayCall = Callable[[str, str], bool]


class EgressProxy:
    """One proxy per region. `locate(name, port, path)` gives a place on this machine; `may_call(region, name)` whether
    functions of a region can reach a name just now. Lives on one event loop."""

    def __init__(self, regions: tuple[str, ...], locate: Locate, may_call: MayCall) -> None:
        self._regions = regions
        self._locate = locate
        self._may_call = may_call
        self._servers: dict[str, asyncio.Server] = {}
        self._serving: set[asyncio.Task[None]] = set()
        self._tls = _api_context()

    async def start(self) -> None:
        for region in self._regions:
            on_connection = functools.partial(self._accept, region)
            self._servers[region] = await asyncio.start_server(on_connection, "127.0.0.1", 0)

    def stop(self) -> None:
        for server in self._servers.values():
            server.close()
        for task in self._serving:
            task.cancel()

    def url(self, region: str) -> str:
        """The value of HTTPS_PROXY for functions of `region`."""
        return "http://{}:{}".format(*self._servers[region].sockets[0].getsockname())

    def _accept(self, region: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(region, reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, region: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            name, port = _connect_target(await reader.readuntil(_HEAD_END))
            destination = self._locate(name, port, "")
            if destination is None or not self._may_call(region, name):
                # A network drops packets to an unused address; the client's own timeout would end it.
                writer.write(b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n")
                return
            async with asyncio.timeout(_CONNECT_SECONDS):
                target_reader, target_writer = await asyncio.open_connection(*destination.address)
            try:
                writer.write(b"HTTP/1.1 200 Connection Established\r\n\r\n")
                await writer.drain()
                if destination.tls is False:
                    await writer.start_tls(self._tls)
                    target_writer.write(_below(destination.path, await reader.readuntil(_HEAD_END)))
                await _join(_pass(reader, target_writer), _pass(target_reader, writer))
            finally:
                target_writer.transport.abort()
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError) as problem:
            logger.debug("event=egress_ended region=%s: %r", region, problem)
        finally:
            with contextlib.suppress(OSError):
                await writer.drain()
            writer.close()


def _connect_target(head: bytes) -> tuple[str, int]:
    """Name and port of a CONNECT. Raises ValueError for another request."""
    method, _, rest = head.partition(b"\r\n")[0].decode("ascii").partition(" ")
    name, found, port = rest.partition(" ")[0].rpartition(":")
    if method != "CONNECT" or not found:
        raise ValueError(f"the egress proxy serves CONNECT only, not {method}")
    return name.lower(), int(port)


def _below(prefix: str, head: bytes) -> bytes:
    """A request's head with its path below `prefix`: the emulator serves an API under a path of its own.

    It closes the connection after this request, since the path of a further one could not be changed.
    """
    request, *fields = head.removesuffix(_HEAD_END).split(b"\r\n")
    method, target, version = request.split(b" ")
    request = b" ".join((method, prefix.rstrip("/").encode() + target, version))
    kept = (field for field in fields if not field.lower().startswith(b"connection:"))
    return b"\r\n".join((request, *kept, b"Connection: close")) + _HEAD_END


async def _join(*directions: Coroutine[Any, Any, None]) -> None:
    """Run both directions until either side ends."""
    tasks = [asyncio.ensure_future(direction) for direction in directions]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_READ_SIZE):
        writer.write(data)
        await writer.drain()


def _api_context() -> ssl.SSLContext:
    """The API's side of TLS, for clients that validate nothing (functions/common/health_endpoints.py, `ask`)."""
    material = acm.self_signed("execute-api")
    return tls.server_context(material.private_key, material.certificate)
