"""One health probe over a real connection. It ignores outages: a lost region fails it as it fails any client."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

import h11

from localaws.core.clock import Clock
from localaws.net import tls

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
    """A probe's result: passed when `failure` is None; `status` when there was an HTTP response."""

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
    search: bytes = b""  # must be in the first `searched` bytes of the body
    searched: int = 5120


class _Failed(Exception):
    def __init__(self, failure: Failure, detail: str) -> None:
        self.outcome = Outcome(failure, detail=detail)


def timeout_seconds(clock: Clock, aws_seconds: float) -> float:
    """Seconds of this machine that a probe waits for `aws_seconds`."""
    return max(clock.real(aws_seconds), LEAST_SECONDS)


async def probe_tcp(address: tuple[str, int], seconds: float) -> Outcome:
    """Whether a connection opens within `seconds` of this machine, and is not reset at once.

    A port that resets has to accept first, where a network in between would answer the handshake itself.
    """
    try:
        async with _connected(address, seconds) as (reader, _):
            async with asyncio.timeout(RESET_SECONDS):
                await reader.read(1)
    except TimeoutError:
        return Outcome()
    except _Failed as failed:
        return failed.outcome
    return Outcome()


async def probe_http(probe: HttpProbe, connect_seconds: float, response_seconds: float | None = None) -> Outcome:
    """One GET. `response_seconds` counts from the connection; without it, `connect_seconds` is for the whole probe.

    Certificates are not validated: neither Elastic Load Balancing [NLB-6] nor Route 53 [R53-8] does it.
    """
    started = time.monotonic()
    try:
        async with _connected(probe.address, connect_seconds, probe) as (reader, writer):
            left = connect_seconds - (time.monotonic() - started) if response_seconds is None else response_seconds
            async with asyncio.timeout(left):
                return await _get(probe, reader, writer)
    except TimeoutError:
        return Outcome(Failure.TIMEOUT, detail="no answer in time")
    except h11.RemoteProtocolError as problem:
        return Outcome(Failure.PROTOCOL, detail=str(problem))
    except _Failed as failed:
        return failed.outcome


@asynccontextmanager
async def _connected(
    address: tuple[str, int], seconds: float, probe: HttpProbe | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection opened within `seconds`, with TLS if `probe` asks for it. Raises _Failed for socket errors."""
    context = tls.unverified_client() if probe and probe.tls else None
    try:
        async with asyncio.timeout(seconds):
            name = (probe.server_name or "") if probe and context else None
            reader, writer = await asyncio.open_connection(*address, ssl=context, server_hostname=name)
    except TimeoutError:
        raise _Failed(Failure.TIMEOUT, "the connection was not established in time") from None
    except OSError as problem:  # ssl.SSLError is one
        raise _Failed(Failure.CONNECTION, problem.strerror or str(problem)) from problem
    try:
        yield reader, writer
    except TimeoutError:
        raise
    except OSError as problem:
        raise _Failed(Failure.CONNECTION, problem.strerror or str(problem)) from problem
    finally:
        writer.transport.abort()


async def _get(probe: HttpProbe, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Outcome:
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
