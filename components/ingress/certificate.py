"""The TLS certificate of a region's endpoints: given, issued for a hosted zone, or self-signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import pulumi
import pulumi_aws as aws
import pulumi_tls as tls

from shared import config
from shared.places import Place

# Seconds. All records of a weighted group need the same (API Route53.ResourceRecordSet.TTL).
TTL = 300


class ValidationOption(Protocol):
    """The record that proves one name, as ACM requires it."""

    @property
    def domain_name(self) -> str | None: ...


Option = TypeVar("Option", bound=ValidationOption)


@dataclass(frozen=True, kw_only=True)
class IssuedCertificateArgs:
    names: Sequence[str]  # the first is the subject; all in the zone
    zone_id: pulumi.Input[str]
    place: Place
    suffix: str

    def __post_init__(self) -> None:
        if not self.names:
            raise ValueError("a certificate needs at least one host name")
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"certificate names {', '.join(self.names)} repeat; ACM proves each once")


class IssuedCertificate(pulumi.ComponentResource):
    """An ACM certificate that is validated by DNS. Both regions use the same CNAME
    (docs/decisions/0003-one-validation-record-per-region.md).

    Available once issued: its ARN comes from the validation, so that no listener is made with a pending one. ACM
    renews it by itself for as long as the records stay."""

    arn: pulumi.Output[str]
    pem: pulumi.Output[str]  # empty: clients trust a public authority

    def __init__(self, name: str, args: IssuedCertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:certificate:IssuedCertificate", name, None, opts)
        self._prefix, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        certificate = aws.acm.Certificate(
            f"{name}-requested",
            domain_name=args.names[0],
            subject_alternative_names=list(args.names[1:]) or None,
            validation_method="DNS",
            opts=self._child,
        )
        records = [self._proof(certificate, host) for host in args.names]
        validation = aws.acm.CertificateValidation(
            f"{name}-validation",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn for record in records],
            opts=self._child,
        )
        self.arn, self.pem = validation.certificate_arn, pulumi.Output.from_input("")
        self.register_outputs({"arn": self.arn, "pem": self.pem})

    def _proof(self, certificate: aws.acm.Certificate, host: str) -> aws.route53.Record:
        option = certificate.domain_validation_options.apply(lambda options: option_for(options, host))
        return aws.route53.Record(
            f"{self._prefix}-{host}",
            zone_id=self._args.zone_id,
            name=option.apply(lambda each: _present(each.resource_record_name, host)),
            type=option.apply(lambda each: _present(each.resource_record_type, host)),
            records=[option.apply(lambda each: _present(each.resource_record_value, host))],
            ttl=TTL,
            # The region's own member of a group that gives the same answer from every member.
            set_identifier=f"{self._args.place}-{self._args.suffix}",
            weighted_routing_policies=[{"weight": 1}],
            opts=self._child,
        )


def option_for(options: Sequence[Option] | None, host: str) -> Option:
    """The option of one name. By name, since ACM promises no order. Raises ValueError if there is none."""
    for option in options or ():
        if option.domain_name == host:
            return option
    raise ValueError(f"ACM names no validation record for {host}; was the certificate requested with it?")


def _present(value: str | None, host: str) -> str:
    if value is None:
        raise ValueError(f"ACM's validation record for {host} is not complete yet; run the deployment again")
    return value


# Ten years: a self-signed certificate is not rotated; an environment that needs rotation sets a domain.
_VALIDITY_HOURS = 10 * 365 * 24


class ServerCertificate(Protocol):
    """A certificate for a listener or a custom domain, whatever its source."""

    @property
    def arn(self) -> pulumi.Output[str]: ...

    @property
    def pem(self) -> pulumi.Output[str]:
        """The certificate of its authority in PEM, which clients need to trust it; empty for a public authority."""
        ...


@dataclass(frozen=True, kw_only=True)
class CertificateChoice:
    """Everything that decides which certificate a region gets. A given ARN wins; then a hosted zone, in which its names
    can be proved; without either the region signs its own."""

    names: Sequence[str]  # the first is the subject
    organization: str
    place: Place
    suffix: str
    region: str
    given_arn: str | None
    zone_id: pulumi.Input[str] | None  # of a public zone that the names' parents already delegate to

    def __post_init__(self) -> None:
        # Listeners and regional API domains take certificates of their own region only [ACM-2].
        if self.given_arn is not None and not self.given_arn.startswith(f"arn:aws:acm:{self.region}:"):
            raise config.invalid(
                f"certificate:arn is {self.given_arn}, which is not ACM's in {self.region}; give one of that region"
            )

    @property
    def is_public(self) -> bool:
        return self.given_arn is not None or self.zone_id is not None


@dataclass(frozen=True)
class GivenCertificate:
    """A certificate that is created, renewed and deleted outside of the stacks."""

    arn: pulumi.Output[str]
    pem: pulumi.Output[str]


def server_certificate(name: str, choice: CertificateChoice, *, opts: pulumi.ResourceOptions) -> ServerCertificate:
    """The certificate that `choice` comes to."""
    if choice.given_arn is not None:
        return GivenCertificate(pulumi.Output.from_input(choice.given_arn), pulumi.Output.from_input(""))
    if choice.zone_id is not None:
        issued = IssuedCertificateArgs(
            names=choice.names, zone_id=choice.zone_id, place=choice.place, suffix=choice.suffix
        )
        return IssuedCertificate(name, issued, opts=opts)
    return SelfSignedCertificate(name, CertificateArgs(names=choice.names, organization=choice.organization), opts=opts)


@dataclass(frozen=True, kw_only=True)
class CertificateArgs:
    names: Sequence[str]  # the first is the subject
    organization: str

    def __post_init__(self) -> None:
        if not self.names:
            raise ValueError("a certificate needs at least one host name")


class SelfSignedCertificate(pulumi.ComponentResource):
    """A certificate for an environment without a domain, imported into ACM. Clients have to be given its PEM; the
    private key is kept in the stack's state, encrypted."""

    arn: pulumi.Output[str]
    pem: pulumi.Output[str]

    def __init__(self, name: str, args: CertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:certificate:SelfSignedCertificate", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        pulumi.warn(
            f"{args.names[0]} gets a self-signed certificate, since no domain is configured; clients need its PEM",
            resource=self,
        )
        # ACM imports, and load balancers serve, P-256 [ACM-3].
        key = tls.PrivateKey(f"{name}-key", algorithm="ECDSA", ecdsa_curve="P256", opts=child)
        signed = tls.SelfSignedCert(
            f"{name}-signed",
            private_key_pem=key.private_key_pem,
            subject={"common_name": args.names[0], "organization": args.organization},
            dns_names=list(args.names),
            validity_period_hours=_VALIDITY_HOURS,
            allowed_uses=["digital_signature", "server_auth"],
            opts=child,
        )
        imported = aws.acm.Certificate(
            f"{name}-imported", private_key=key.private_key_pem, certificate_body=signed.cert_pem, opts=child
        )
        self.arn, self.pem = imported.arn, signed.cert_pem
        self.register_outputs({"arn": self.arn, "pem": self.pem})
