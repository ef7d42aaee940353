"""The authority behind ACM's requested certificates, so that doors with issued certificates serve TLS here too.

ministack issues a certificate at once, without a key and with a body that is no certificate. Here each has a key and is
signed by an authority that lives as long as the server; who is to trust it finds it as the chain of GetCertificate.
"""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from localaws import emulator
from localaws.emulator.acm import CertificateMaterial

_KEY_BITS = 2048  # ACM's default, RSA_2048
_VALID = timedelta(days=198)  # of public certificates [ACM-6]
_YEARS = timedelta(days=3650)


class Authority:
    """Made when the first certificate is asked for."""

    def __init__(self) -> None:
        self._key: rsa.RSAPrivateKey | None = None
        self._certificate: x509.Certificate | None = None

    def install(self) -> None:
        emulator.acm.issue_certificates(self.issue)

    def issue(self, names: list[str]) -> CertificateMaterial:
        """A certificate of these host names, the first its subject."""
        authority_key, authority = self._authority()
        key = rsa.generate_private_key(65537, _KEY_BITS)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
        issued = (
            _builder(subject, authority.subject, key, _VALID)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(authority_key, hashes.SHA256())
        )
        return CertificateMaterial(
            certificate=_pem(issued),
            chain=_pem(authority),
            private_key=key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode(),
        )

    def _authority(self) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
        if self._key is None or self._certificate is None:
            self._key = rsa.generate_private_key(65537, _KEY_BITS)
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Embedded AWS, this machine only")])
            self._certificate = (
                _builder(name, name, self._key, _YEARS)
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .sign(self._key, hashes.SHA256())
            )
        return self._key, self._certificate


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, valid: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + valid)
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
