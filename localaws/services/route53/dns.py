"""Route 53's name servers: authoritative DNS over UDP and TCP on loopback for the deployed hosted zones.

They are outside the regions and answer in any outage: records, failover by health, aliases. Names of deployed AWS
resources are answered too, so that this server can be a program's only resolver; every other name is refused.
Weighted, latency, geolocation, geoproximity, multivalue and IP-based records are not emulated: a query for one gets
SERVFAIL and a line in the log. Sources: [R53-11] and API Route53.AliasTarget.
"""

import contextlib
import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dnslib
from dnslib.server import DNSHandler, DNSLogger, DNSServer

from localaws import emulator

logger = logging.getLogger(__name__)

ALIAS_TTL = 60  # of an alias to a load balancer (choosing-between-alias-and-non-alias records); others are close
FOLLOWED = 8  # aliases and CNAMEs in a row, so that a circle ends
UDP_LIMIT = 512  # bytes, of a client that announces no other (RFC 1035)
IDLE_SECONDS = 10.0  # of this machine, for a TCP client
BIND_TRIES = 20
_OTHER_POLICIES = ("Weight", "Region", "GeoLocation", "MultiValueAnswer", "CidrRoutingConfig", "GeoProximityLocation")

RecordSet = dict[str, Any]


@dataclass(frozen=True)
class Record:
    name: str
    type: str
    ttl: int
    value: str


@dataclass(frozen=True)
class Answer:
    code: str  # NOERROR, NXDOMAIN, REFUSED or SERVFAIL
    records: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()  # the zone's SOA beside an empty answer


class NotEmulated(Exception):
    """A routing policy that is not emulated."""


class DnsServer:
    """Serves in threads of its own, both protocols on one free port."""

    def __init__(self, records: "Records") -> None:
        self._records = records
        self._servers: list[DNSServer] = []
        self.address: tuple[str, int] | None = None

    def start(self) -> None:
        """Raises OSError when no port is free for both protocols."""
        for _ in range(BIND_TRIES):
            udp = self._server(0, tcp=False)
            self.address = udp.server.server_address
            try:
                tcp = self._server(self.address[1], tcp=True)
            except OSError:
                udp.server.server_close()
                continue
            self._servers = [udp, tcp]
            for server in self._servers:
                server.start_thread()
            return
        raise OSError("no port is free for both UDP and TCP")

    def stop(self) -> None:
        for server in self._servers:
            server.stop()
            server.server.server_close()

    def reply(self, query: dnslib.DNSRecord) -> dnslib.DNSRecord:
        reply = query.reply(ra=0, aa=1)
        name, kind = str(query.q.qname).rstrip(".").lower(), dnslib.QTYPE.get(query.q.qtype)
        answer = self._records.answer(name, kind)
        reply.header.rcode = getattr(dnslib.RCODE, answer.code)
        reply.header.aa = int(answer.code in ("NOERROR", "NXDOMAIN"))
        reply.add_answer(*map(_resource_record, answer.records))
        reply.add_auth(*map(_resource_record, answer.authority))
        return reply

    def _server(self, port: int, *, tcp: bool) -> DNSServer:
        errors = DNSLogger("error", prefix=False, logf=lambda text: logger.debug("event=dns_bad_packet %s", text))
        return DNSServer(self, "127.0.0.1", port, tcp=tcp, logger=errors, handler=_Handler)


class _Handler(DNSHandler):  # type: ignore[misc]  # dnslib has no types
    """Ignores what is not a query, and truncates to the length that the client accepts over UDP."""

    def setup(self) -> None:
        if isinstance(self.request, socket.socket):
            self.request.settimeout(IDLE_SECONDS)

    def handle(self) -> None:
        with contextlib.suppress(TimeoutError, ConnectionError):  # the client is done
            super().handle()

    def get_reply(self, data: bytes) -> bytes:
        query = dnslib.DNSRecord.parse(data)
        if query.header.qr or len(query.questions) != 1:
            raise dnslib.DNSError("not a query")
        reply = self.server.resolver.reply(query)
        packet: bytes = reply.pack()
        allowed = max([UDP_LIMIT, *(extra.edns_len for extra in query.ar if extra.rtype == dnslib.QTYPE.OPT)])
        if self.protocol == "udp" and len(packet) > allowed:
            truncated: bytes = reply.truncate().pack()
            return truncated
        return packet


def _resource_record(record: Record) -> dnslib.RR:
    # dnslib reads a record as a zone file has it, quotes and preferences included: Route 53 stores values the same way.
    return dnslib.RR.fromZone(f"{record.name}. {record.ttl} IN {record.type} {record.value}")[0]


class Records:
    """Resolves names from the zones deployed at that moment.

    `is_healthy(health check id)`, `is_target_healthy(DNS name)` and `ip_addresses(DNS name)` describe other services.
    """

    def __init__(
        self,
        is_healthy: Callable[[str], bool],
        is_target_healthy: Callable[[str], bool],
        ip_addresses: Callable[[str], tuple[str, ...]],
    ) -> None:
        self._is_healthy = is_healthy
        self._is_target_healthy = is_target_healthy
        self._ip_addresses = ip_addresses

    def answer(self, name: str, kind: str) -> Answer:
        """The answer to a query, in lower case and without a last dot."""
        try:
            return self._answer(name, kind, FOLLOWED)
        except NotEmulated as problem:
            logger.error("event=dns_not_emulated %s %s: %s", name, kind, problem)
            return Answer("SERVFAIL")

    def target(self, name: str) -> str:
        """The DNS name that a name resolves to through aliases and CNAMEs; the name itself when there is none."""
        for _ in range(FOLLOWED):
            zone = _zone(name)
            try:
                target = zone and next(
                    (found for kind in ("A", "CNAME") if (found := self._target_of(zone, name, kind))), None
                )
            except NotEmulated as problem:
                logger.error("event=dns_not_emulated %s: %s", name, problem)
                return name
            if not target:
                return name
            name = target
        return name

    def _target_of(self, zone: list[RecordSet], name: str, kind: str) -> str | None:
        chosen = self._choose(zone, name, kind)
        if chosen is None:
            return None
        if "AliasTarget" in chosen:
            return _plain(chosen["AliasTarget"]["DNSName"])
        return _plain(chosen["ResourceRecords"][0]) if kind == "CNAME" else None

    def _answer(self, name: str, kind: str, follow: int) -> Answer:
        zone = _zone(name)
        if zone is None:
            found = self._of_aws(name, name, kind)
            return Answer("NOERROR", found) if found or self._ip_addresses(name) else Answer("REFUSED")
        chosen = self._choose(zone, name, kind)
        if chosen is not None:
            return self._expanded(zone, chosen, name, kind, follow)
        alias = self._choose(zone, name, "CNAME")
        if alias is not None and kind != "CNAME":
            first = self._expanded(zone, alias, name, "CNAME", follow).records
            rest = self._answer(_plain(first[0].value), kind, follow - 1).records if follow and first else ()
            return Answer("NOERROR", (*first, *rest))
        soa = tuple(_records(record) for record in zone if record["Type"] == "SOA")
        authority = soa[0] if soa else ()
        return Answer("NOERROR" if _named(zone, name) else "NXDOMAIN", authority=authority)

    def _expanded(self, zone: list[RecordSet], chosen: RecordSet, name: str, kind: str, follow: int) -> Answer:
        if "AliasTarget" not in chosen:
            return Answer("NOERROR", _records(chosen, name))
        target = _plain(chosen["AliasTarget"]["DNSName"])
        if _named(zone, target) and follow:
            behind = self._answer(target, kind, follow - 1)
            return Answer(behind.code, tuple(Record(name, r.type, r.ttl, r.value) for r in behind.records))
        return Answer("NOERROR", self._of_aws(name, target, kind))

    def _of_aws(self, owner: str, name: str, kind: str) -> tuple[Record, ...]:
        addresses = self._ip_addresses(name) if kind == "A" else ()
        return tuple(Record(owner, "A", ALIAS_TTL, address) for address in addresses)

    def _choose(self, zone: list[RecordSet], name: str, kind: str) -> RecordSet | None:
        """The one record set that answers. With every failover record unhealthy Route 53 answers the primary one."""
        candidates = [record for record in _named(zone, name) if record["Type"] == kind]
        for record in candidates:
            if policy := next((policy for policy in _OTHER_POLICIES if policy in record), None):
                raise NotEmulated(f"records with {policy} are not emulated")
        ranked = sorted(candidates, key=lambda record: record.get("Failover") == "SECONDARY")
        if not ranked or "Failover" not in ranked[0]:
            return ranked[0] if ranked else None
        return next((record for record in ranked if self._is_record_healthy(zone, record, FOLLOWED)), ranked[0])

    def _is_record_healthy(self, zone: list[RecordSet], record: RecordSet, follow: int) -> bool:
        """A record without a health check is healthy; an alias may also inherit its target's health."""
        if (check := record.get("HealthCheckId")) and not self._is_healthy(check):
            return False
        alias = record.get("AliasTarget")
        if not alias or not alias["EvaluateTargetHealth"] or not follow:
            return True
        target = _plain(alias["DNSName"])
        behind = [found for found in _named(zone, target) if found["Type"] == record["Type"]]
        if behind:
            return any(self._is_record_healthy(zone, found, follow - 1) for found in behind)
        return self._is_target_healthy(target)


def _zone(name: str) -> list[RecordSet] | None:
    """Record sets of the zone a name belongs to: the one with the longest matching name."""
    zones = [zone for zone in emulator.route53.hosted_zone_records() if f".{name}".endswith(f".{_plain(zone['name'])}")]
    if not zones:
        return None
    closest = max(zones, key=lambda zone: len(zone["name"]))
    return emulator.route53.record_sets().get(closest["id"], [])


def _named(zone: Sequence[RecordSet], name: str) -> list[RecordSet]:
    """Record sets with a name, or else those of the wildcard beside it."""
    wildcard = f"*.{name.partition('.')[2]}"
    exact = [record for record in zone if _plain(record["Name"]) == name]
    return exact or [record for record in zone if _plain(record["Name"]).replace("\\052", "*") == wildcard]


def _records(record: RecordSet, name: str | None = None) -> tuple[Record, ...]:
    owner, ttl = name or _plain(record["Name"]), int(record["TTL"])
    return tuple(Record(owner, record["Type"], ttl, value) for value in record["ResourceRecords"])


def _plain(name: str) -> str:
    return name.rstrip(".").lower()
