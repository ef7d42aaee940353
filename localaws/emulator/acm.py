"""Certificate Manager: the material of certificates."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from localaws.emulator.patches import patch


@dataclass(frozen=True)
class CertificateMaterial:
    """PEM texts of an ACM certificate; the key is empty for one that was not imported."""

    certificate: str
    chain: str
    private_key: str = field(repr=False)


def certificate_material(arn: str) -> CertificateMaterial | None:
    from ministack.services import acm

    _, _, _, region, account, _ = arn.split(":", 5)
    record = acm._certificates.get_scoped(account, region, arn)
    if record is None:
        return None
    return CertificateMaterial(record["_pem_body"], record["_pem_chain"], record["_private_key"])


def issue_certificates(issue: Callable[[list[str]], CertificateMaterial]) -> None:
    """Let `issue(names)` make the certificate and key of each RequestCertificate; ministack makes none."""
    from ministack.services import acm

    def request_certificate(original: Any, data: dict[str, Any]) -> Any:
        known = set(acm._certificates)
        answer = original(data)
        for arn in set(acm._certificates) - known:
            record = acm._certificates[arn]
            made = issue(list(record["SubjectAlternativeNames"]))
            record |= {"_pem_body": made.certificate, "_pem_chain": made.chain, "_private_key": made.private_key}
        return answer

    patch("services.acm:_request_certificate", request_certificate)
