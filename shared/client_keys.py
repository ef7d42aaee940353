"""The keys that identify payment clients at both endpoints.

Reasons: docs/decisions/0004-callers-of-the-accelerator-endpoint.md.
"""

import hashlib
import json
import re
import secrets
import string
from collections.abc import Iterator, Mapping

HEADER = "x-api-key"  # the one that API Gateway reads keys from
SETTING = "api:clientKeys"

_ALPHABET = string.ascii_letters + string.digits
_SHORTEST = 40
# API Gateway accepts keys of 20 to 128 characters (API APIGateway.CreateApiKey). Forty drawn from 62 are 238 bits, so
# that a hash of one gives nothing away.
_KEY = re.compile(rf"[A-Za-z0-9]{{{_SHORTEST},128}}")
# Too short for a key, so that a message may show a name even when the two were mixed up.
_CLIENT = re.compile(r"[a-z][a-z0-9-]{0,31}")


def draw() -> str:
    """A new key, at random."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_SHORTEST))


def fingerprint(key: str) -> str:
    """The SHA-256 of a key in hex, by which it is checked."""
    return hashlib.sha256(key.encode()).hexdigest()


def is_strong(key: str) -> bool:
    return _KEY.fullmatch(key) is not None


# Bytes of the hashes by client, as JSON. The variables of a function hold 4 KB together (Lambda quotas), and the other
# ones of `payments` less than 1.5 KB of them [LAMBDA-21].
LIMIT = 2500


def as_json(keys: Mapping[str, str]) -> str:
    """The hashes by client: what the function `payments` gets."""
    return json.dumps({client: fingerprint(key) for client, key in keys.items()}, sort_keys=True)


def problems(keys: Mapping[str, str]) -> Iterator[str]:
    """The mistakes in keys by client, as sentences that show no key."""
    misnamed = [client for client in keys if not _CLIENT.fullmatch(client)]
    if misnamed:
        yield (
            f"{len(misnamed)} of its clients have names that are no 1 to 32 lower-case letters, digits and hyphens, "
            "a letter first; give each client such a name, and its key as the value"
        )
        return
    if weak := [client for client, key in keys.items() if not is_strong(key)]:
        yield f"the key of client {', '.join(weak)} is no 40 to 128 letters and digits; draw a longer one at random"
    owners: dict[str, list[str]] = {}
    for client, key in keys.items():
        owners.setdefault(key, []).append(client)
    if (size := len(as_json(keys))) > LIMIT:
        yield (
            f"{len(keys)} clients take {size} of {LIMIT} bytes in the function's environment; remove clients or "
            "shorten their names"
        )
    for clients in owners.values():
        if len(clients) > 1:
            yield f"clients {', '.join(clients)} have the same key; draw one for each"
