"""Who calls through the load balancer's door. Callers at the other one API Gateway has checked before.

Which door a request came through, its event's shape tells; no client can choose it, since only the load balancer and
API Gateway may invoke the function.
"""

import hashlib
import hmac
from collections.abc import Mapping

KEY_HEADER = "x-api-key"


class Callers:
    """Clients by the SHA-256 of their keys, in hex. The keys themselves are never here."""

    def __init__(self, hashes: Mapping[str, str]) -> None:
        self._hashes = hashes

    @property
    def known(self) -> bool:
        """Whether any client has a key; if none has, there is nothing to ask for."""
        return bool(self._hashes)

    def client_of(self, key: str | None) -> str | None:
        """The client whose key this is. Compares with all, so that the time it takes tells nothing of any."""
        if not key:
            return None
        # JSON can carry half a surrogate pair, which strict UTF-8 has no bytes for.
        shown = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
        matching = [client for client, known in self._hashes.items() if hmac.compare_digest(shown, known)]
        return matching[0] if matching else None
