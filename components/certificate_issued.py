"""A TLS certificate that ACM issues for a region, proved by DNS records in a hosted zone that is ours.

Both regions prove the same names by the same CNAME; how that goes without either touching the other's record is
docs/decisions/0003-one-validation-record-per-region.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import pulumi
import pulumi_aws as aws

from shared.places import Place

# Seconds. All records of a weighted group need the same (API Route53.ResourceRecordSet.TTL).
TTL = 300


class ValidationOption(Protocol):
    """The record that proves one name, as ACM wants it."""

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
    """Known as issued only: its ARN comes from the validation, so that no listener is made with a pending one. ACM
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
            # The region's own member of a group that answers the same whichever member is asked.
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
