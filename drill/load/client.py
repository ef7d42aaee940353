"""A payment client: its address and key, its timeouts and retries, and the outcome of each response."""

import json
import math
import resource
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from drill.model.attempts import Intent, Outcome

# Descriptors left to the rest of the process; every request under way may hold one.
_SPARE_DESCRIPTORS = 256


@dataclass(frozen=True, kw_only=True)
class Target:
    """The one address that clients know, and the key that lets them in. The certificate must carry `service_name` and
    be signed by `ca_file`, or by a public authority where there is none."""

    host: str
    port: int
    service_name: str
    ca_file: Path | None
    client_key: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ClientPolicy:
    """The behaviour of a payment client. Seconds on this machine."""

    timeout: float  # for one request
    reopen: float  # a connection is not used for longer
    first_pause: float  # before the second attempt; it doubles
    longest_pause: float
    give_up: float  # after the payment was first offered
    most_in_flight: int  # requests; arrivals beyond are shed and counted
    most_attempts: int | None = None  # None: until answered or given up
    patient: bool = True  # retries share a budget, wait as long as `Retry-After` requires, and keep their connections

    @classmethod
    def of(cls, *, speed: float, rate: float) -> "ClientPolicy":
        """A client with 5 s for a request, pauses of 1 to 8 s, giving up after a minute, all in AWS seconds.

        The computing behind an answer does not speed up, hence a floor under each: a client that stops waiting for work
        which continues, and retries, makes more of it.
        """
        timeout = max(3.0, 5 / speed)
        return cls(
            timeout=timeout,
            reopen=max(1.0, 10 / speed),
            first_pause=max(0.5, 1 / speed),
            longest_pause=max(4.0, 8 / speed),
            give_up=max(30.0, 60 / speed),
            most_in_flight=_most_in_flight(rate, timeout),
        )

    @classmethod
    def impatient(cls, *, rate: float) -> "ClientPolicy":
        """A client that makes overload worse: 3 s for a request, six tries in quick succession, each on a new
        connection, with no budget and no ear for `Retry-After`."""
        timeout = 3.0
        return cls(
            timeout=timeout,
            reopen=0.0,
            first_pause=0.2,
            longest_pause=1.0,
            give_up=30.0,
            most_in_flight=_most_in_flight(rate, timeout),
            most_attempts=6,
            patient=False,
        )

    @classmethod
    def flood(cls, *, rate: float) -> "ClientPolicy":
        """A client that sends each request once, on connections that stay open: cheap for it and for this machine."""
        timeout = 3.0
        return cls(
            timeout=timeout,
            reopen=30.0,
            first_pause=timeout,
            longest_pause=timeout,
            give_up=timeout,
            most_in_flight=min(64, _most_in_flight(rate, timeout)),
            most_attempts=1,
            patient=False,
        )


def _most_in_flight(rate: float, timeout: float) -> int:
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE_DESCRIPTORS
    return max(8, min(64 + math.ceil(4 * rate * timeout), descriptors))


def trust(target: Target) -> ssl.SSLContext:
    """Verification against `ca_file` and nothing else, if there is one. Raises OSError or ssl.SSLError for a file that
    holds none.

    The regions' certificates are self-signed and bear the same name. OpenSSL takes the first of a name for the issuer
    of all, unless a certificate of the file may itself end the chain; Python does so by default from 3.13 on.
    """
    context = ssl.create_default_context(cafile=str(target.ca_file) if target.ca_file else None)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def answered_by(response: aiohttp.ClientResponse, answer: dict[str, Any]) -> str | None:
    """The region that served the request; of a repeated payment the body names the one that accepted it first."""
    if served := response.headers.get("x-served-by-region"):
        return served
    return answer.get("accepted_in") if response.status in (201, 202) else None


def retry_after(response: aiohttp.ClientResponse) -> float:
    """Seconds of the server's `Retry-After`; 0 without one (RFC 9110, section 10.2.3: a number of
    seconds; the form with a date is not used by this service)."""
    seconds = response.headers.get("retry-after", "")
    return float(seconds) if seconds.isdecimal() else 0.0


def understand(status: int, content: bytes, intent: Intent) -> tuple[Outcome, dict[str, Any]]:
    """The outcome that a response means for `intent`, and the body of one that acknowledges it."""
    if status >= 500 or status == 429:
        return Outcome.ERROR, {}
    if status not in (200, 201, 202):
        return Outcome.REJECTED, {}
    try:
        answer = json.loads(content)
    except ValueError:
        return Outcome.WRONG, {}
    if not isinstance(answer, dict) or answer.get("id") != intent.payment_id:
        return Outcome.WRONG, {}
    return Outcome.OK, answer
