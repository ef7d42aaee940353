"""A region's certificate by setting, and the validation of an issued one."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.ingress.certificate import CertificateChoice, IssuedCertificateArgs, option_for, server_certificate
from localaws.engine.registration import Registration
from shared.places import Place
from tests.components.answers import answer
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
NAMES = ("pay.shop.example", "anycast.shop.example", "api.shop.example")
GIVEN = "arn:aws:acm:us-east-1:000000000000:certificate/1"


def options(certificate: Registration) -> list[dict[str, str]]:
    """As ACM gives them: the same for a name in every region of an account, and in no promised order. An imported
    certificate has none."""
    if "domainName" not in certificate.inputs:
        return []
    hosts = [certificate.inputs["domainName"], *certificate.inputs.get("subjectAlternativeNames", [])]
    return [
        {
            "domainName": host,
            "resourceRecordName": f"_token.{host}.",
            "resourceRecordType": "CNAME",
            "resourceRecordValue": f"_proof-of-{host}.acm-validations.aws.",
        }
        for host in sorted(hosts, reverse=True)
    ]


@pytest.fixture(autouse=True)
def acm(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "Certificate", domainValidationOptions=options)
    answer(monkeypatch, "Record", fqdn=lambda record: record.inputs["name"].rstrip("."))
    answer(monkeypatch, "SelfSignedCert", certPem="PEM")
    answer(monkeypatch, "PrivateKey", privateKeyPem="KEY")


def choice(place: Place = Place.PRIMARY, **given: Any) -> CertificateChoice:
    decided: dict[str, Any] = {"given_arn": None, "zone_id": None} | given
    return CertificateChoice(
        names=NAMES, organization="shop.example", place=place, suffix="prod", region="us-east-1", **decided
    )


def certificate(which: CertificateChoice) -> Callable[[], object]:
    def program() -> None:
        provider = aws.Provider("primary", region="us-east-1")
        made = server_certificate("certificate", which, opts=pulumi.ResourceOptions(providers=[provider]))
        pulumi.export("arn", made.arn)
        pulumi.export("pem", made.pem)

    return program


def test_a_given_certificate_is_used_and_nothing_is_made(build: Build) -> None:
    built = build(certificate(choice(given_arn=GIVEN, zone_id="ZONE")))

    assert built.exports == {"arn": GIVEN, "pem": ""}
    assert not [each for each in built.resources if each.type.startswith("aws:")]


def test_without_a_domain_clients_get_a_self_signed_one_to_trust_and_a_warning(build: Build) -> None:
    built = build(certificate(choice()))

    assert built.exports["pem"] == "PEM"
    assert built.one("SelfSignedCert").inputs["dnsNames"] == list(NAMES)
    assert any("self-signed" in warning for warning in built.warnings)
    assert not built.all("Record")


def test_an_issued_certificate_is_known_once_all_its_names_are_proved(build: Build) -> None:
    built = build(certificate(choice(zone_id="ZONE")))
    requested, validation = built.one("Certificate").inputs, built.one("CertificateValidation")

    assert (requested["domainName"], requested["validationMethod"]) == (NAMES[0], "DNS")
    assert requested["subjectAlternativeNames"] == list(NAMES[1:])
    assert set(validation.inputs["validationRecordFqdns"]) == {f"_token.{host}" for host in NAMES}
    assert built.exports == {"arn": validation.inputs["certificateArn"], "pem": ""}
    assert not built.warnings


def test_every_name_is_proved_by_its_own_record(build: Build) -> None:
    records = [each.inputs for each in build(certificate(choice(zone_id="ZONE"))).all("Record")]

    assert {record["name"]: record["records"] for record in records} == {
        f"_token.{host}.": [f"_proof-of-{host}.acm-validations.aws."] for host in NAMES
    }
    assert {(record["zoneId"], record["type"]) for record in records} == {("ZONE", "CNAME")}


def test_the_regions_prove_one_name_side_by_side_and_own_a_record_each(build: Build) -> None:
    """Record sets that Route 53 distinguishes by name, type and set identifier; they share a TTL (decision 0003)."""
    mine, theirs = (
        build(certificate(choice(place, zone_id="ZONE"))).one("Record", f"certificate-{NAMES[0]}").inputs
        for place in Place
    )

    assert mine["name"] == theirs["name"]
    assert mine["setIdentifier"] != theirs["setIdentifier"]
    assert mine["weightedRoutingPolicies"] == theirs["weightedRoutingPolicies"] == [{"weight": 1}]
    assert mine["ttl"] == theirs["ttl"]
    assert mine["records"] == theirs["records"], "a resolver may be given either"
    assert "allowOverwrite" not in mine, "whoever overwrites also deletes, and stops the other's renewal"


def test_a_certificate_of_another_region_is_refused() -> None:
    with pytest.raises(ValueError, match="is not ACM's in us-east-1"):
        choice(given_arn="arn:aws:acm:us-east-2:000000000000:certificate/1")


def test_a_name_that_acm_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="no validation record for other"):
        option_for([SimpleNamespace(domain_name="pay.shop.example")], "other.shop.example")


@pytest.mark.parametrize(("names", "reason"), [((), "at least one"), (("a.example", "a.example"), "repeat")])
def test_names_that_cannot_be_proved_are_refused(names: tuple[str, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        IssuedCertificateArgs(names=names, zone_id="ZONE", place=Place.PRIMARY, suffix="prod")
