"""The front of an application load balancer's listener: TLS with the listener's certificate, HTTP/1.1, then the
emulator's own rules and targets, in the load balancer's account and region.

The emulator's dispatcher runs on this front's event loop, not on the emulator's: it keeps no state bound to a loop and
moves every Lambda invocation to a thread of its own, so a busy emulator loop does not stop traffic.
"""

import asyncio
import logging
import socket
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, unquote

from localaws import hooks
from localaws.fronts.deployed import LoadBalancer
from localaws.fronts.http import READ_SIZE, Conversation, Request
from localaws.fronts.port import Port
from localaws.gate import Gate

logger = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0  # of this machine


class CertificateUnusable(ValueError):
    """A listener's certificate has no key here: only imported certificates can be served."""


def server_context(certificate_arn: str, policy: str) -> ssl.SSLContext:
    """A TLS context for an imported certificate. Raises CertificateUnusable when ACM holds no key or a broken one."""
    material = hooks.acm.certificate_material(certificate_arn)
    if material is None or not material.private_key:
        raise CertificateUnusable(
            f"{certificate_arn} is not an imported certificate; the embedded AWS has no key for it"
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # The policy's name carries its lowest version: ELBSecurityPolicy-TLS13-1-3-2021-06 allows nothing older.
    tls13_only = policy.startswith("ELBSecurityPolicy-TLS13-1-3")
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if tls13_only else ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # OpenSSL's loader takes files only; this folder is readable by this user alone and gone at once.
    with tempfile.TemporaryDirectory(prefix="localaws-") as folder:
        pem = Path(folder, "certificate.pem")
        pem.touch(mode=0o600)
        pem.write_text("\n".join((material.private_key, material.certificate, material.chain)))
        try:
            context.load_cert_chain(pem)
        except ssl.SSLError as problem:
            raise CertificateUnusable(f"{certificate_arn} cannot be served: {problem.reason}") from None
    return context


class ApplicationPort(Port):
    """One listener of an application load balancer."""

    what = "alb"

    def __init__(self, gate: Gate, load_balancer: LoadBalancer, port: int, idle_seconds: Callable[[], float]) -> None:
        super().__init__(gate, load_balancer.region)
        self.load_balancer = load_balancer
        self.context: ssl.SSLContext | None = None  # None: plain HTTP
        self._port = port
        self._idle_seconds = idle_seconds

    async def arrive(self, connection: socket.socket, client: str) -> None:
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
            logger.debug("no TLS with a client: %s", problem)
            return
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        conversation = Conversation(reader, writer, client, self._answer, self._idle_seconds)
        self.connections.add(conversation)
        if self.outage is not None:  # it came during the handshake
            self.fail(conversation, self.outage.kind)
        try:
            await conversation.serve()
        finally:
            self.connections.discard(conversation)

    async def _answer(self, request: Request) -> hooks.elb_traffic.DispatchedAnswer:
        raw_path, _, raw_query = request.target.partition("?")
        try:
            return await hooks.elb_traffic.dispatch_to_application_load_balancer(
                self.load_balancer.record,
                method=request.method,
                path=unquote(raw_path),
                raw_path=raw_path,
                headers=request.headers,
                body=request.body,
                query=parse_qs(raw_query, keep_blank_values=True),
                raw_query=raw_query,
                port=self._port,
                client=request.client,
            )
        except Exception:
            logger.exception("%s failed on %s %s", self.load_balancer.name, request.method, raw_path)
            return 500, {"server": "awselb/2.0"}, b""
