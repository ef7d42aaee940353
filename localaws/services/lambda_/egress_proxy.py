"""The way from a region's functions to host names of AWS: on AWS a NAT gateway or a peering, here a proxy per region.

Functions reach AWS's own endpoints by AWS_ENDPOINT_URL. Doors they call by name, as any client does, and no such name
leads anywhere on this machine; so each worker is told a proxy (HTTPS_PROXY), which knows where a name answers.
"""

import asyncio
import contextlib
import logging
import ssl
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import h11
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from localaws.services.route53.names import Destination

logger = logging.getLogger(__name__)

_READ = 64 * 1024
_LONGEST_REQUEST = 1024 * 1024
_CONNECT_SECONDS = 10.0

Locate = Callable[[str, int, str], Destination | None]
MayCall = Callable[[str, str], bool]


class WaysOut:
    """`locate(name, port, path)` gives a place on this machine; `may_call(region, name)` whether functions of a region
    can reach a name just now. Lives on one event loop."""

    def __init__(self, regions: tuple[str, ...], locate: Locate, may_call: MayCall) -> None:
        self._regions = regions
        self._locate = locate
        self._may_call = may_call
        self._servers: dict[str, asyncio.Server] = {}
        self._urls: dict[str, str] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._tls = _self_signed()

    async def start(self) -> None:
        for region in self._regions:
            server = self._servers[region] = await asyncio.start_server(self._handler(region), "127.0.0.1", 0)
            self._urls[region] = "http://{}:{}".format(*server.sockets[0].getsockname())

    def stop(self) -> None:
        for server in self._servers.values():
            server.close()
        for task in self._under_way:
            task.cancel()

    def url(self, region: str) -> str:
        """What HTTPS_PROXY is to be for functions of `region`."""
        return self._urls[region]

    def _handler(self, region: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def arrive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(self._serve(region, reader, writer))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

        return arrive

    async def _serve(self, region: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            name, port = _wanted(await reader.readuntil(b"\r\n\r\n"))
            destination = self._locate(name, port, "")
            if destination is None or not self._may_call(region, name):
                # What nobody answers to, a network drops; the client's own time limit would end it.
                writer.write(b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n")
                return
            async with asyncio.timeout(_CONNECT_SECONDS):
                theirs = await asyncio.open_connection(*destination.address)
            try:
                writer.write(b"HTTP/1.1 200 Connection Established\r\n\r\n")
                await writer.drain()
                if destination.tls is False:
                    await writer.start_tls(self._tls)
                    await _send_request(reader, theirs[1], destination.path)
                await _join((reader, writer), theirs)
            finally:
                theirs[1].transport.abort()
        except (OSError, EOFError, ValueError, TimeoutError, h11.ProtocolError) as problem:
            logger.debug("a way out of %s ended: %r", region, problem)
        finally:
            with contextlib.suppress(OSError):
                await writer.drain()
            writer.close()


def _wanted(head: bytes) -> tuple[str, int]:
    """Name and port of a CONNECT. Raises ValueError for another request."""
    method, _, rest = head.partition(b"\r\n")[0].decode("ascii").partition(" ")
    name, found, port = rest.partition(" ")[0].rpartition(":")
    if method != "CONNECT" or not found:
        raise ValueError(f"a way out takes CONNECT only, not {method}")
    return name.lower(), int(port)


async def _send_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, prefix: str) -> None:
    """Pass one request on, its path below `prefix`: the emulator serves an API under a path of its own."""
    client, server, size = h11.Connection(h11.SERVER), h11.Connection(h11.CLIENT), 0
    while not isinstance(event := client.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            data = await reader.read(_READ)
            size += len(data)
            if not data or size > _LONGEST_REQUEST:
                raise EOFError("the request ended early, or never")
            client.receive_data(data)
            continue
        if isinstance(event, h11.Request):
            fields = [(name, value) for name, value in event.headers if name != b"connection"]
            path = prefix.rstrip("/").encode() + event.target
            event = h11.Request(method=event.method, target=path, headers=[*fields, (b"connection", b"close")])
        if isinstance(event, h11.Request | h11.Data):
            writer.write(server.send(event) or b"")
    writer.write(server.send(h11.EndOfMessage()) or b"")
    await writer.drain()


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _join(one: Stream, other: Stream) -> None:
    """Bytes both ways until either side ends."""
    ways = {
        asyncio.ensure_future(_pass(one[0], other[1])),
        asyncio.ensure_future(_pass(other[0], one[1])),
    }
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_READ):
        writer.write(data)
        await writer.drain()


def _self_signed() -> ssl.SSLContext:
    """A server's side of TLS, for clients that validate nothing (functions/common/health_endpoints.py, `ask`)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "execute-api")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "door.pem")
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
        context.load_cert_chain(file)
    return context
