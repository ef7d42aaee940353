"""One health probe over a real connection. It never asks the gate: a lost region fails it as it fails any client."""

import asyncio
import functools
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import h11

from localaws.core.clock import Clock

# A handler does not run faster because the clock does: a probe always gets this much of the machine's time.
LEAST_SECONDS = 1.0
RESET_SECONDS = 0.05  # of this machine: how soon a reset shows
READ_SIZE = 16 * 1024


class Failure(StrEnum):
    CONNECTION = "connection"
    TIMEOUT = "timeout"
    STATUS = "status"
    BODY = "body"
    PROTOCOL = "protocol"


@dataclass(frozen=True)
class Outcome:
    """What a probe found: passed when `failure` is None; `status` when there was an HTTP answer."""

    failure: Failure | None = None
    status: int | None = None
    detail: str = ""

    @property
    def passed(self) -> bool:
        return self.failure is None


@dataclass(frozen=True, kw_only=True)
class HttpProbe:
    address: tuple[str, int]
    host: str  # the Host header
    path: str
    user_agent: str
    accepts: Callable[[int], bool]
    tls: bool = False
    server_name: str | None = None  # SNI
    search: bytes = b""  # must stand in the first `searched` bytes of the body
    searched: int = 5120


def patience(clock: Clock, aws_seconds: float) -> float:
    """Seconds of this machine that a probe waits for `aws_seconds`."""
    return max(clock.real(aws_seconds), LEAST_SECONDS)


async def probe_tcp(address: tuple[str, int], seconds: float) -> Outcome:
    """Whether a connection opens within `seconds` of this machine, and is not reset at once.

    A front that resets has to accept first, where a network in between would answer the handshake itself.
    """
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(*address)
    except TimeoutError:
        return Outcome(Failure.TIMEOUT, detail="the connection was not established in time")
    except OSError as problem:
        return Outcome(Failure.CONNECTION, detail=problem.strerror or str(problem))
    try:
        async with asyncio.timeout(RESET_SECONDS):
            await reader.read(1)
    except TimeoutError:
        return Outcome()
    except OSError as problem:
        return Outcome(Failure.CONNECTION, detail=problem.strerror or str(problem))
    finally:
        writer.transport.abort()
    return Outcome()


async def probe_http(probe: HttpProbe, connect_seconds: float, answer_seconds: float | None = None) -> Outcome:
    """One GET. `answer_seconds` counts from the connection; without it, `connect_seconds` is for the whole probe.

    Certificates are not validated: neither Elastic Load Balancing [NLB-6] nor Route 53 [R53-8] does it.
    """
    started = time.monotonic()
    try:
        async with asyncio.timeout(connect_seconds):
            reader, writer = await asyncio.open_connection(
                *probe.address,
                ssl=_unverified() if probe.tls else None,
                server_hostname=(probe.server_name or "") if probe.tls else None,
            )
    except TimeoutError:
        return Outcome(Failure.TIMEOUT, detail="the connection was not established in time")
    except OSError as problem:  # ssl.SSLError is one
        return Outcome(Failure.CONNECTION, detail=problem.strerror or str(problem))
    left = answer_seconds if answer_seconds is not None else connect_seconds - (time.monotonic() - started)
    try:
        async with asyncio.timeout(left):
            return await _ask(probe, reader, writer)
    except TimeoutError:
        return Outcome(Failure.TIMEOUT, detail="no answer in time")
    except OSError as problem:
        return Outcome(Failure.CONNECTION, detail=problem.strerror or str(problem))
    except h11.RemoteProtocolError as problem:
        return Outcome(Failure.PROTOCOL, detail=str(problem))
    finally:
        writer.transport.abort()


async def _ask(probe: HttpProbe, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Outcome:
    http = h11.Connection(h11.CLIENT)
    fields = [("host", probe.host), ("user-agent", probe.user_agent), ("accept", "*/*"), ("connection", "close")]
    writer.write(http.send(h11.Request(method="GET", target=probe.path, headers=fields)) or b"")
    writer.write(http.send(h11.EndOfMessage()) or b"")
    status, body = None, b""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(READ_SIZE))
        elif isinstance(event, h11.Response):
            status = event.status_code
            if not probe.accepts(status):
                return Outcome(Failure.STATUS, status)
            if not probe.search:
                return Outcome(status=status)
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
            if probe.search in body[: probe.searched]:
                return Outcome(status=status)
        elif not isinstance(event, h11.InformationalResponse):
            return Outcome(Failure.BODY, status, detail="the search string was not found")


@functools.cache
def _unverified() -> ssl.SSLContext:
    """One for all probes: making one takes longer than a handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
