"""The data plane of an application load balancer's listener: TLS with the listener's certificate, HTTP/1.1, then the
emulator's own rules and targets, in the load balancer's account and region.

The emulator's dispatcher runs on this port's event loop, not on the emulator's: it keeps no state bound to a loop and
moves every Lambda invocation to a thread of its own, so a busy emulator loop does not stop traffic. Requests of one
client connection are served one after the other. HTTP/2 and WebSocket upgrades are left out; a request body may have
the megabyte that AWS passes on to a Lambda target [ALB-2].
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Iterable
from email.utils import formatdate
from functools import partial
from urllib.parse import parse_qs, unquote

import h11

from localaws import emulator
from localaws.core.outages import Outages
from localaws.emulator.elb import DispatchedAnswer
from localaws.net import tls
from localaws.net.port import Port, reset_transport
from localaws.services.elb.deployed import LoadBalancer

logger = logging.getLogger(__name__)

BODY_LIMIT = 1024 * 1024
HEADER_LIMIT = 64 * 1024  # AWS: "HTTP header limits", the whole of the request headers
READ_SIZE = 64 * 1024
HANDSHAKE_SECONDS = 10.0  # of this machine
_PER_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection"}


class HttpConnection:
    """A client's connection. Frozen, it neither reads on nor writes a response."""

    def __init__(
        self, port: "ApplicationPort", reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str
    ) -> None:
        self._port = port
        self._reader = reader
        self._writer = writer
        self._client = client
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEADER_LIMIT)

    def freeze(self) -> None:
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    def finish(self) -> None:
        self._writer.close()

    def reset(self) -> None:
        reset_transport(self._writer.transport)

    async def serve(self) -> None:
        """Serve until the client leaves, falls idle or breaks the protocol."""
        try:
            while await self._exchange():
                self._http.start_next_cycle()
        except h11.RemoteProtocolError as problem:
            await self._refuse(problem.error_status_hint)
        except (ConnectionError, TimeoutError, ssl.SSLError) as problem:
            logger.debug("event=client_left %s: %s", self._client, problem)
        finally:
            self._writer.close()

    async def _exchange(self) -> bool:
        """One request and its response. False when the connection is to be closed."""
        event = await self._next_event()
        if not isinstance(event, h11.Request):
            return False
        body = bytearray()
        while isinstance(part := await self._next_event(), h11.Data):
            body += part.data
            if len(body) > BODY_LIMIT:
                await self._refuse(413)
                return False
        status, headers, content = await self._port.respond(event, bytes(body), self._client)
        await self._flowing.wait()
        try:
            start = h11.Response(status_code=status, headers=_fields(headers, content))
        except h11.LocalProtocolError as problem:  # a target's malformed header: AWS answers 502
            logger.warning("event=alb_bad_response: %s", problem)
            start, content = h11.Response(status_code=502, headers=[("content-length", "0")]), b""
        if isinstance(content, bytes):
            has_body = content and event.method != b"HEAD" and status not in (204, 304)
            await self._send(start, *([h11.Data(data=content)] if has_body else []), h11.EndOfMessage())
        else:
            await self._send(start)
            async for chunk in content:
                await self._send(h11.Data(data=chunk))
            await self._send(h11.EndOfMessage())
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _next_event(self) -> h11.Event | type[h11.PAUSED]:
        while True:
            await self._flowing.wait()
            event = self._http.next_event()
            if isinstance(event, h11.Event) or event is h11.PAUSED:
                return event
            if self._http.they_are_waiting_for_100_continue:
                await self._send(h11.InformationalResponse(status_code=100, headers=[]))
            async with asyncio.timeout(self._port.idle_seconds()):
                self._http.receive_data(await self._reader.read(READ_SIZE))

    async def _send(self, *events: h11.Event) -> None:
        self._writer.write(b"".join(self._http.send(event) or b"" for event in events))
        await self._writer.drain()

    async def _refuse(self, status: int) -> None:
        """End an exchange with an error of the load balancer's own."""
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        await self._flowing.wait()
        headers = [("server", "awselb/2.0"), ("content-length", "0"), ("connection", "close")]
        await self._send(h11.Response(status_code=status, headers=headers), h11.EndOfMessage())


def _joined(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header fields by lower-case name; repeated ones are joined."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in fields:
        name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
        if name in headers:
            value = f"{headers[name]}{'; ' if name == 'cookie' else ', '}{value}"
        headers[name] = value
    return headers


def _fields(headers: dict[str, str | list[str]], content: object) -> list[tuple[str, str]]:
    """Response fields as they go out: the load balancer frames the response itself and dates it."""
    fields = [
        (name, str(value))
        for name, values in headers.items()
        if name.lower() not in _PER_HOP and not (isinstance(content, bytes) and name.lower() == "content-length")
        for value in (values if isinstance(values, list) else [values])
    ]
    if isinstance(content, bytes):
        fields.append(("content-length", str(len(content))))
    if not any(name.lower() == "date" for name, _ in fields):
        fields.append(("date", formatdate(usegmt=True)))
    return fields


class CertificateUnusable(ValueError):
    """A listener's certificate has no key here: only imported and issued certificates can be served."""


def server_context(certificate_arn: str, policy: str) -> ssl.SSLContext:
    """A TLS context for a certificate of ACM. Raises CertificateUnusable when ACM holds no key or a broken one."""
    material = emulator.acm.certificate_material(certificate_arn)
    if material is None or not material.private_key:
        raise CertificateUnusable(
            f"{certificate_arn} is not an imported certificate; the embedded AWS has no key for it"
        )
    try:
        context = tls.server_context(material.private_key, material.certificate, material.chain)
    except ssl.SSLError as problem:
        raise CertificateUnusable(f"{certificate_arn} cannot be served: {problem.reason}") from None
    # The policy's name carries its lowest version: ELBSecurityPolicy-TLS13-1-3-2021-06 allows nothing older.
    tls13_only = policy.startswith("ELBSecurityPolicy-TLS13-1-3")
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if tls13_only else ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


class ApplicationPort(Port):
    """One listener of an application load balancer."""

    def __init__(
        self, outages: Outages, load_balancer: LoadBalancer, port: int, idle_seconds: Callable[[], float]
    ) -> None:
        super().__init__("alb", partial(outages.refuse, load_balancer.region, "data:alb"))
        self._loses_response = partial(outages.fails, load_balancer.region)
        self.load_balancer = load_balancer
        self.context: ssl.SSLContext | None = None  # None: plain HTTP
        self._port = port
        self.idle_seconds = idle_seconds  # of this machine, evaluated before each read

    async def serve(self, connection: socket.socket, client: str) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=READ_SIZE)
        try:
            transport, protocol = await loop.connect_accepted_socket(
                lambda: asyncio.StreamReaderProtocol(reader),
                connection,
                ssl=self.context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if self.context else None,
            )
        except (ssl.SSLError, ConnectionError, TimeoutError) as problem:
            logger.debug("event=tls_handshake_failed %s: %s", client, problem)
            return
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        http = HttpConnection(self, reader, writer, client)
        self.connections.add(http)
        if self.outage is not None:  # it came during the handshake
            self.fail(http, self.outage)
        try:
            await http.serve()
        finally:
            self.connections.discard(http)

    async def respond(self, request: h11.Request, body: bytes, client: str) -> DispatchedAnswer:
        """The response of the listener's rules and targets."""
        method = request.method.decode("ascii")
        raw_path, _, raw_query = request.target.decode("ascii").partition("?")
        try:
            answer = await emulator.elb.dispatch_to_application_load_balancer(
                self.load_balancer.record,
                method=method,
                path=unquote(raw_path),
                raw_path=raw_path,
                headers=_joined(request.headers),
                body=body,
                query=parse_qs(raw_query, keep_blank_values=True),
                raw_query=raw_query,
                port=self._port,
                client=client,
            )
        except Exception:
            logger.exception("event=alb_dispatch_failed %s %s %s", self.load_balancer.name, method, raw_path)
            return 500, {"server": "awselb/2.0"}, b""
        return (502, {"server": "awselb/2.0"}, b"") if self._loses_response() else answer
