"""Answers of Route 53's name servers, asked over UDP and TCP."""

import socket
import uuid
from typing import Any

import dnslib
import pytest

from tests.local.traffic_world import EAST_1, EAST_2, Cell, World, cells, eventually, shared_world, world

__all__ = ["cells", "shared_world", "world"]


def ask(world: World, name: str, kind: str = "A", *, tcp: bool = False) -> dnslib.DNSRecord:
    host, _, port = world.traffic.dns_address.rpartition(":")
    question = dnslib.DNSRecord.question(name, kind)
    return dnslib.DNSRecord.parse(question.send(host, int(port), tcp=tcp, timeout=20))


def code(answer: dnslib.DNSRecord) -> str:
    return str(dnslib.RCODE.get(answer.header.rcode))


def values(answer: dnslib.DNSRecord, kind: str | None = None) -> list[str]:
    return [str(found.rdata).strip('"') for found in answer.rr if kind in (None, dnslib.QTYPE.get(found.rtype))]


class Zone:
    """A hosted zone of a test."""

    def __init__(self, world: World) -> None:
        self.name = f"{uuid.uuid4().hex[:8]}.example.com"
        self._client = world.client("route53")
        made = self._client.create_hosted_zone(Name=self.name, CallerReference=uuid.uuid4().hex)
        self.id = made["HostedZone"]["Id"]

    def put(self, name: str, kind: str, *records: str, ttl: int = 60, **settings: Any) -> str:
        """Create a record set of values, or of `settings`; returns its full name."""
        full = f"{name}.{self.name}" if name else self.name
        content = {"TTL": ttl, "ResourceRecords": [{"Value": value} for value in records]} if records else {}
        record = {"Name": full, "Type": kind, **content, **settings}
        self._client.change_resource_record_sets(
            HostedZoneId=self.id, ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
        )
        return full


def alias(name: str, *, zone: str = "Z1", evaluate: bool = False) -> dict[str, Any]:
    return {"AliasTarget": {"HostedZoneId": zone, "DNSName": name, "EvaluateTargetHealth": evaluate}}


def failover(role: str, check: str | None = None) -> dict[str, Any]:
    return {"Failover": role, "SetIdentifier": role, **({"HealthCheckId": check} if check else {})}


@pytest.fixture
def zone(world: World) -> Zone:
    return Zone(world)


def health_check(world: World, cell: Cell, **settings: Any) -> str:
    config = {
        "Type": "HTTPS",
        "FullyQualifiedDomainName": cell.nlb_name,
        "ResourcePath": "/health",
        "RequestInterval": 10,
        "FailureThreshold": 1,
        **settings,
    }
    made = world.client("route53").create_health_check(CallerReference=uuid.uuid4().hex, HealthCheckConfig=config)
    return str(made["HealthCheck"]["Id"])


def test_a_record_is_answered_with_its_values_and_ttl(world: World, zone: Zone) -> None:
    name = zone.put("www", "A", "192.0.2.10", "192.0.2.11", ttl=17)

    for tcp in (False, True):
        answer = ask(world, name.upper(), tcp=tcp)
        assert (code(answer), values(answer)) == ("NOERROR", ["192.0.2.10", "192.0.2.11"])
        assert [found.ttl for found in answer.rr] == [17, 17]
        assert answer.header.aa, "the answer is authoritative"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("TXT", "active us-east-1"),
        ("MX", "10 mail.example.com."),
        ("AAAA", "2001:db8::1"),
        ("CAA", '0 issue "amazon.com"'),
    ],
)
def test_records_of_other_types_are_answered(world: World, zone: Zone, kind: str, value: str) -> None:
    name = zone.put("other", kind, f'"{value}"' if kind == "TXT" else value)

    assert values(ask(world, name, kind)) == [value.strip('"')]


def test_a_cname_is_answered_together_with_what_it_names(world: World, zone: Zone) -> None:
    target = zone.put("target", "A", "192.0.2.10")
    name = zone.put("name", "CNAME", target)
    answer = ask(world, name)

    assert values(answer, "CNAME") == [f"{target}."]
    assert values(answer, "A") == ["192.0.2.10"]


def test_a_wildcard_answers_names_that_do_not_exist(world: World, zone: Zone) -> None:
    zone.put("*", "A", "192.0.2.1")
    there = zone.put("there", "A", "192.0.2.2")

    assert values(ask(world, f"anything.{zone.name}")) == ["192.0.2.1"]
    assert values(ask(world, there)) == ["192.0.2.2"]


def test_a_name_that_does_not_exist_is_denied_with_the_zones_soa(world: World, zone: Zone) -> None:
    answer = ask(world, f"nothing.{zone.name}")

    assert (code(answer), answer.rr) == ("NXDOMAIN", [])
    assert [dnslib.QTYPE.get(found.rtype) for found in answer.auth] == ["SOA"]


def test_a_name_without_records_of_the_type_gets_an_empty_answer(world: World, zone: Zone) -> None:
    name = zone.put("www", "A", "192.0.2.10")
    answer = ask(world, name, "AAAA")

    assert (code(answer), answer.rr) == ("NOERROR", [])
    assert answer.auth


def test_a_name_of_no_zone_is_refused(world: World) -> None:
    assert code(ask(world, "example.org")) == "REFUSED"


def test_a_routing_policy_that_is_not_emulated_fails_openly(
    world: World, zone: Zone, caplog: pytest.LogCaptureFixture
) -> None:
    name = zone.put("weighted", "A", "192.0.2.1", Weight=1, SetIdentifier="one")

    assert code(ask(world, name)) == "SERVFAIL"
    assert "Weight are not emulated" in caplog.text


def test_a_long_answer_is_cut_over_udp_and_whole_over_tcp(world: World, zone: Zone) -> None:
    long = [f'"{letter * 200}"' for letter in "abcdef"]
    name = zone.put("long", "TXT", *long)

    assert ask(world, name, "TXT").header.tc
    assert len(ask(world, name, "TXT", tcp=True).rr) == len(long)


def test_an_alias_to_a_load_balancer_leads_to_its_address_on_this_machine(
    world: World, zone: Zone, cells: tuple[Cell, Cell]
) -> None:
    name = zone.put("", "A", **alias(cells[0].nlb_name))
    (address,) = values(ask(world, name))

    assert world.traffic.addresses()[f"{address}:443"] == world.traffic.addresses()[f"{cells[0].nlb_name}:443"]
    assert values(ask(world, cells[0].nlb_name)) == [address]
    assert world.traffic.resolve(name) == cells[0].nlb_name


def test_an_alias_to_an_accelerator_answers_its_two_static_addresses(
    world: World, zone: Zone, cells: tuple[Cell, Cell]
) -> None:
    arn, dns_name = world.accelerator((cells[0], 100, 128))
    name = zone.put("front", "A", **alias(dns_name))
    sets = world.accelerator_client().describe_accelerator(AcceleratorArn=arn)["Accelerator"]["IpSets"]

    assert values(ask(world, name)) == sets[0]["IpAddresses"]


def test_an_alias_to_a_record_of_the_zone_answers_under_its_own_name(world: World, zone: Zone) -> None:
    target = zone.put("target", "A", "192.0.2.10")
    name = zone.put("alias", "A", **alias(target, zone=zone.id))
    answer = ask(world, name)

    assert [(str(found.rname), str(found.rdata)) for found in answer.rr] == [(f"{name}.", "192.0.2.10")]


def test_a_failover_record_flips_with_its_health_check_and_back(
    world: World, zone: Zone, cells: tuple[Cell, Cell]
) -> None:
    name = zone.put("pay", "TXT", '"primary"', **failover("PRIMARY", health_check(world, cells[0])))
    zone.put("pay", "TXT", '"secondary"', **failover("SECONDARY"))
    assert values(ask(world, name, "TXT")) == ["primary"]
    world.lose(EAST_1, "error")
    assert eventually(lambda: values(ask(world, name, "TXT")) == ["secondary"])
    world.outages.heal(EAST_1)

    assert eventually(lambda: values(ask(world, name, "TXT")) == ["primary"])


def test_a_failover_alias_inherits_the_health_of_its_load_balancer(
    world: World, zone: Zone, cells: tuple[Cell, Cell]
) -> None:
    for cell, role in zip(cells, ("PRIMARY", "SECONDARY"), strict=True):
        name = zone.put("pay", "A", **alias(cell.nlb_name, evaluate=True), **failover(role))
    assert world.traffic.resolve(name) == cells[0].nlb_name
    world.answer_with(cells[0], 503)

    assert eventually(lambda: world.traffic.resolve(name) == cells[1].nlb_name)
    (address,) = values(ask(world, name))
    assert world.traffic.addresses()[f"{address}:443"] == world.traffic.addresses()[f"{cells[1].nlb_name}:443"]


def test_with_every_record_unhealthy_the_primary_one_is_answered(
    world: World, zone: Zone, cells: tuple[Cell, Cell]
) -> None:
    checks = [health_check(world, cell) for cell in cells]
    name = zone.put("pay", "TXT", '"primary"', **failover("PRIMARY", checks[0]))
    zone.put("pay", "TXT", '"secondary"', **failover("SECONDARY", checks[1]))
    world.lose(EAST_1, "error")
    assert eventually(lambda: values(ask(world, name, "TXT")) == ["secondary"])
    world.lose(EAST_2, "error")

    assert eventually(lambda: values(ask(world, name, "TXT")) == ["primary"])


def test_a_record_put_while_a_region_is_lost_is_answered(world: World, zone: Zone) -> None:
    world.lose(EAST_1, "hang")
    name = zone.put("www", "A", "192.0.2.10")

    assert values(ask(world, name)) == ["192.0.2.10"]


def test_a_packet_that_is_no_query_is_ignored(world: World, zone: Zone) -> None:
    host, _, port = world.traffic.dns_address.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"\x00garbage", (host, int(port)))
    name = zone.put("www", "A", "192.0.2.10")

    assert values(ask(world, name)) == ["192.0.2.10"]
