"""The certificate authority behind ACM's requested certificates, so that load balancers and APIs serve TLS with them.

ministack issues a certificate at once, without a key and with a body that is no certificate. Here each has a key and is
signed by an authority that exists as long as the server; clients find it as the chain of GetCertificate.
"""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from localaws import emulator
from localaws.emulator.acm import CertificateMaterial

_KEY_BITS = 2048  # ACM's default, RSA_2048
_VALID = timedelta(days=198)  # of public certificates [ACM-6]
_YEARS = timedelta(days=3650)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class CertificateAuthority:
    """Its key is made when the first certificate is requested."""

    def __init__(self) -> None:
        self._issuer: tuple[Key, x509.Certificate] | None = None

    def install(self) -> None:
        emulator.acm.issue_certificates(self.issue)

    def issue(self, names: list[str]) -> CertificateMaterial:
        """A certificate of these host names, the first its subject."""
        if self._issuer is None:
            root, name = _rsa_key(), _name("Embedded AWS, this machine only")
            constraints = x509.BasicConstraints(ca=True, path_length=0)
            builder = _builder(name, name, root, _YEARS).add_extension(constraints, critical=True)
            self._issuer = root, builder.sign(root, hashes.SHA256())
        (issuer_key, issuer), key = self._issuer, _rsa_key()
        issued = (
            _builder(_name(names[0][:64]), issuer.subject, key, _VALID)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(issuer_key, hashes.SHA256())
        )
        return _material(issued, key, chain=_pem(issuer))


def self_signed(name: str) -> CertificateMaterial:
    """A certificate for clients that validate nothing, quick to make."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), _name(name)
    return _material(_builder(subject, subject, key, _VALID).sign(key, hashes.SHA256()), key)


def _rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, _KEY_BITS)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: Key, valid: timedelta) -> x509.CertificateBuilder:
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


def _material(certificate: x509.Certificate, key: Key, chain: str = "") -> CertificateMaterial:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return CertificateMaterial(certificate=_pem(certificate), chain=chain, private_key=private.decode())


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
