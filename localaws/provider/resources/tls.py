"""The tls provider: private keys and self-signed certificates, made here with `cryptography`."""

import hashlib
import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from localaws.core.errors import TableError
from localaws.provider.context import Context
from localaws.provider.table import Do, Entry

_CURVES: dict[str, Callable[[], ec.EllipticCurve]] = {
    "P224": ec.SECP224R1,
    "P256": ec.SECP256R1,
    "P384": ec.SECP384R1,
    "P521": ec.SECP521R1,
}
_SUBJECT = {
    "commonName": NameOID.COMMON_NAME,
    "country": NameOID.COUNTRY_NAME,
    "locality": NameOID.LOCALITY_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "province": NameOID.STATE_OR_PROVINCE_NAME,
}
_KEY_USES = {
    "digital_signature": "digital_signature",
    "content_commitment": "content_commitment",
    "key_encipherment": "key_encipherment",
    "data_encipherment": "data_encipherment",
    "key_agreement": "key_agreement",
    "cert_signing": "key_cert_sign",
    "crl_signing": "crl_sign",
    "encipher_only": "encipher_only",
    "decipher_only": "decipher_only",
}
_EXTENDED_USES = {
    "server_auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code_signing": ExtendedKeyUsageOID.CODE_SIGNING,
}
_KEY_TEXTS = (
    "privateKeyPem",
    "privateKeyPemPkcs8",
    "privateKeyOpenssh",
    "publicKeyPem",
    "publicKeyOpenssh",
    "publicKeyFingerprintMd5",
    "publicKeyFingerprintSha256",
)
_CERTIFICATE_TEXTS = ("certPem", "keyAlgorithm", "validityStartTime", "validityEndTime")


def _new_key(given: dict[str, Any]) -> Any:
    algorithm = given["algorithm"]
    if algorithm == "RSA":
        return rsa.generate_private_key(65537, int(given.get("rsaBits") or 2048))
    if algorithm == "ECDSA":
        return ec.generate_private_key(_CURVES[given.get("ecdsaCurve") or "P224"]())
    if algorithm == "ED25519":
        return ed25519.Ed25519PrivateKey.generate()
    raise TableError(f"algorithm {algorithm} is not known; use RSA, ECDSA or ED25519")


def _private_key(context: Context) -> dict[str, str]:
    if context.synthetic:
        return {name: f"{name} of {context.name}" for name in ("id", *_KEY_TEXTS)}
    key = _new_key(context.inputs)
    public = key.public_key()
    encoding, private, unencrypted = serialization.Encoding, serialization.PrivateFormat, serialization.NoEncryption()
    traditional = private.PKCS8 if context.inputs["algorithm"] == "ED25519" else private.TraditionalOpenSSL
    der = public.public_bytes(encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ssh = public.public_bytes(encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    md5 = hashlib.md5(ssh, usedforsecurity=False).hexdigest()
    return {
        "id": hashlib.sha1(der, usedforsecurity=False).hexdigest(),
        "privateKeyPem": key.private_bytes(encoding.PEM, traditional, unencrypted).decode(),
        "privateKeyPemPkcs8": key.private_bytes(encoding.PEM, private.PKCS8, unencrypted).decode(),
        "privateKeyOpenssh": key.private_bytes(encoding.PEM, private.OpenSSH, unencrypted).decode(),
        "publicKeyPem": public.public_bytes(encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode(),
        "publicKeyOpenssh": f"{ssh.decode()}\n",
        "publicKeyFingerprintMd5": ":".join(md5[at : at + 2] for at in range(0, len(md5), 2)),
        "publicKeyFingerprintSha256": f"SHA256:{hashlib.sha256(ssh).hexdigest()}",
    }


def _names(given: dict[str, Any]) -> list[x509.GeneralName]:
    return [
        *(x509.DNSName(name) for name in given.get("dnsNames") or []),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in given.get("ipAddresses") or []),
        *(x509.UniformResourceIdentifier(uri) for uri in given.get("uris") or []),
    ]


def _certificate(context: Context) -> dict[str, str]:
    """A certificate signed with its own key."""
    if context.synthetic:
        return {name: f"{name} of {context.name}" for name in ("id", *_CERTIFICATE_TEXTS)}
    given = context.inputs
    key: Any = serialization.load_pem_private_key(given["privateKeyPem"].encode(), None)
    start = datetime.now(UTC).replace(microsecond=0)
    end = start + timedelta(hours=float(given["validityPeriodHours"]))
    subject = given.get("subject") or {}
    name = x509.Name([x509.NameAttribute(_SUBJECT[field], value) for field, value in subject.items()])
    authority = bool(given.get("isCaCertificate"))
    length = int(given["maxPathLength"]) if authority and given.get("maxPathLength", -1) >= 0 else None
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=length), critical=True)
    )
    for extension, critical in _extensions(given, key):
        builder = builder.add_extension(extension, critical)
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    made = builder.sign(key, digest)
    kinds = {rsa.RSAPrivateKey: "RSA", ec.EllipticCurvePrivateKey: "ECDSA", ed25519.Ed25519PrivateKey: "ED25519"}
    return {
        "id": str(made.serial_number),
        "certPem": made.public_bytes(serialization.Encoding.PEM).decode(),
        "keyAlgorithm": next(kind for type_, kind in kinds.items() if isinstance(key, type_)),
        "validityStartTime": start.isoformat().replace("+00:00", "Z"),
        "validityEndTime": end.isoformat().replace("+00:00", "Z"),
    }


def _extensions(given: dict[str, Any], key: Any) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = []
    uses = set(given.get("allowedUses") or [])
    unknown = uses - _KEY_USES.keys() - _EXTENDED_USES.keys()
    if unknown:
        raise TableError(f"allowedUses {', '.join(sorted(unknown))} is not known here")
    if uses & _KEY_USES.keys():
        flags = {flag: use in uses for use, flag in _KEY_USES.items()}
        found.append((x509.KeyUsage(**flags), True))
    if uses & _EXTENDED_USES.keys():
        extended = [_EXTENDED_USES[use] for use in sorted(uses & _EXTENDED_USES.keys())]
        found.append((x509.ExtendedKeyUsage(extended), False))
    if _names(given):
        found.append((x509.SubjectAlternativeName(_names(given)), False))
    if given.get("setSubjectKeyId"):
        found.append((x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False))
    if given.get("setAuthorityKeyId"):
        found.append((x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False))
    return found


TYPES = {
    "tls:index/privateKey:PrivateKey": Entry(
        service="",
        create=Do(_private_key, takes=("algorithm", "ecdsaCurve", "rsaBits")),
        id="{made.id}",
        delete=(),
        secret_outputs=("privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"),
        outputs={name: f"{{made.{name}}}" for name in _KEY_TEXTS},
    ),
    "tls:index/selfSignedCert:SelfSignedCert": Entry(
        service="",
        create=Do(
            _certificate,
            takes=(
                "allowedUses",
                "dnsNames",
                "ipAddresses",
                "isCaCertificate",
                "maxPathLength",
                "privateKeyPem",
                "setAuthorityKeyId",
                "setSubjectKeyId",
                "subject",
                "uris",
                "validityPeriodHours",
            ),
        ),
        id="{made.id}",
        delete=(),
        provider_only={"earlyRenewalHours": "only decides when the provider makes a new certificate"},
        outputs={**{name: f"{{made.{name}}}" for name in _CERTIFICATE_TEXTS}, "readyForRenewal": False},
    ),
}
