"""A small TLS server that a test scripts: `answer(payment, number)` decides about the `number`th request it gets."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drill.load.client import Target
from tests.certificates import write_certificate
from tests.drill.http_exchange import exchanges

SERVICE = "pay.dr-test.internal"
KEY = "k" * 40

Reply = tuple[int, dict[str, Any]] | None  # None: close the connection without a word
Answer = Callable[[dict[str, Any], int], Reply]


def accept(payment: dict[str, Any], number: int) -> Reply:
    """201 from us-east-1."""
    return 201, {"id": payment["id"], "accepted_in": "us-east-1", "durability": "both-regions", "number": number}


@dataclass
class PaymentServer:
    answer: Answer = accept
    pause: float = 0.0  # seconds before each answer
    retry_after: int | None = None  # that errors carry
    requests: list[dict[str, Any]] = field(default_factory=list)
    connections: int = 0
    names: list[str | None] = field(default_factory=list)  # asked for in TLS
    hosts: set[str] = field(default_factory=set)
    keys: set[str | None] = field(default_factory=set)
    target: Target = field(init=False)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        async for _, headers, body, answer in exchanges(reader, writer):
            self.hosts.add(headers["host"])
            self.keys.add(headers.get("x-api-key"))
            self.requests.append(json.loads(body))
            reply = self.answer(self.requests[-1], len(self.requests))
            await asyncio.sleep(self.pause)
            if reply is None:
                return
            waits = reply[0] >= 500 and self.retry_after is not None
            answer(reply[0], json.dumps(reply[1]), f"Retry-After: {self.retry_after}" if waits else "")


@asynccontextmanager
async def payment_server(
    directory: Path, answer: Answer = accept, *, pause: float = 0.0, retry_after: int | None = None
) -> AsyncIterator[PaymentServer]:
    """A server on a free port of loopback, with a certificate for SERVICE."""
    server = PaymentServer(answer=answer, pause=pause, retry_after=retry_after)
    certificate = write_certificate(directory, SERVICE)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate.certificate, certificate.key)

    def asked(_: ssl.SSLObject | ssl.SSLSocket, name: str | None, __: ssl.SSLContext) -> None:
        server.names.append(name)

    tls.sni_callback = asked
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    port = listener.sockets[0].getsockname()[1]
    server.target = Target(
        host="127.0.0.1", port=port, service_name=SERVICE, ca_file=certificate.certificate, client_key=KEY
    )
    try:
        yield server
    finally:
        listener.close()
