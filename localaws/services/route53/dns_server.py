"""Route 53's name servers: authoritative DNS over UDP and TCP on loopback for the deployed hosted zones.

They stand outside the regions and answer in any outage. Names of deployed AWS resources are answered too, so that this
server can be a program's only resolver; every other name is refused.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import cast

import dnslib

from localaws.services.route53.records import Code, Record, Records

logger = logging.getLogger(__name__)

UDP_LIMIT = 512  # bytes, of a client that does not say otherwise (RFC 1035)
IDLE_SECONDS = 10.0  # of this machine, for a TCP client
BIND_TRIES = 20

Reply = Callable[[bytes, int | None], bytes | None]


class DnsServer:
    """Lives on the traffic loop."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.address: tuple[str, int] | None = None
        self._datagrams: asyncio.DatagramTransport | None = None
        self._streams: asyncio.Server | None = None

    async def start(self) -> None:
        """Bind one free port for both protocols. Raises OSError when none can be had."""
        udp, tcp = _one_port()
        loop = asyncio.get_running_loop()
        self._datagrams, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self._reply), sock=udp)
        self._streams = await asyncio.start_server(self._serve_stream, sock=tcp)
        self.address = udp.getsockname()

    def stop(self) -> None:
        if self._datagrams:
            self._datagrams.close()
        if self._streams:
            self._streams.close()

    def _reply(self, query: bytes, limit: int | None) -> bytes | None:
        """The answer to a packet; None for one that is not a query. Longer than `limit`, it is cut and says so."""
        try:
            asked = dnslib.DNSRecord.parse(query)
        except dnslib.DNSError as problem:
            logger.debug("not a DNS packet: %s", problem)
            return None
        if asked.header.qr or len(asked.questions) != 1:
            return None
        reply = asked.reply(ra=0, aa=1)
        name, kind = str(asked.q.qname).rstrip(".").lower(), dnslib.QTYPE.get(asked.q.qtype)
        answer = self._records.answer(name, kind)
        reply.header.rcode = getattr(dnslib.RCODE, answer.code.value)
        reply.header.aa = int(answer.code in (Code.NOERROR, Code.NXDOMAIN))
        for record in answer.records:
            reply.add_answer(_resource_record(record))
        for record in answer.authority:
            reply.add_auth(_resource_record(record))
        packet = cast(bytes, reply.pack())
        if limit is not None:
            allowed = max([limit, *(extra.edns_len for extra in asked.ar if extra.rtype == dnslib.QTYPE.OPT)])
            if len(packet) > allowed:
                return cast(bytes, reply.truncate().pack())
        return packet

    async def _serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                async with asyncio.timeout(IDLE_SECONDS):
                    length = int.from_bytes(await reader.readexactly(2))
                    query = await reader.readexactly(length)
                reply = self._reply(query, None)
                if reply is None:
                    return
                writer.write(len(reply).to_bytes(2) + reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            return  # the client is done
        finally:
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport and (reply := self._reply(data, UDP_LIMIT)):
            self._transport.sendto(reply, addr)


def _resource_record(record: Record) -> dnslib.RR:
    # dnslib reads a record as a zone file has it, quotes and preferences included: Route 53 stores values the same way.
    return dnslib.RR.fromZone(f"{record.name}. {record.ttl} IN {record.type} {record.value}")[0]


def _one_port() -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket on the same free port."""
    for _ in range(BIND_TRIES):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            udp.bind(("127.0.0.1", 0))
            tcp.bind(udp.getsockname())
        except OSError:
            udp.close()
            tcp.close()
        else:
            return udp, tcp
    raise OSError("no port is free for both UDP and TCP")
