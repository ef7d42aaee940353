"""The TLS certificate of a region's front door: given, issued for a zone of ours, or self-signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pulumi
import pulumi_aws as aws
import pulumi_tls as tls

from components.certificate_issued import IssuedCertificate, IssuedCertificateArgs
from shared.places import Place

# Ten years: nothing rotates a certificate that no one's browser trusts; who needs rotation gives a domain.
_VALIDITY_HOURS = 10 * 365 * 24


class ServerCertificate(Protocol):
    """What a listener or a custom domain needs of a certificate, wherever it comes from."""

    @property
    def arn(self) -> pulumi.Output[str]: ...

    @property
    def pem(self) -> pulumi.Output[str]:
        """What clients must be given to trust it; empty when a public authority vouches for it."""
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
            raise ValueError(f"certificate {self.given_arn} is not ACM's in {self.region}; give one of that region")

    @property
    def is_public(self) -> bool:
        return self.given_arn is not None or self.zone_id is not None


@dataclass(frozen=True)
class GivenCertificate:
    """A certificate that someone else made, renews and deletes."""

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
