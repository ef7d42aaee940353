"""TLS contexts of the data planes' servers and probes."""

import functools
import ssl
import tempfile
from pathlib import Path


def server_context(*pem: str) -> ssl.SSLContext:
    """A server's context from a private key, its certificate and the chain. Raises ssl.SSLError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # OpenSSL's loader reads files only; this folder is readable by this user alone and gone at once.
    with tempfile.TemporaryDirectory(prefix="localaws-") as folder:
        file = Path(folder, "certificate.pem")
        file.touch(mode=0o600)
        file.write_text("\n".join(pem))
        context.load_cert_chain(file)
    return context


@functools.cache
def unverified_client() -> ssl.SSLContext:
    """A client's context that validates nothing. One for all probes: making one takes longer than a handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
