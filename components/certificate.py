"""The TLS certificate of a region's front door."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_tls as tls

# Ten years: nothing rotates a certificate that no one's browser trusts; who needs rotation gives a domain.
_VALIDITY_HOURS = 10 * 365 * 24


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
        # ACM imports, and load balancers serve, P-256 (ACM user guide, "Prerequisites for importing certificates").
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
