"""A region's doors as a client outside finds them: where they are, and one request to one of them.

A region reads no other stack, so the addresses are parameters that the global stack writes into both regions:
`<prefix>/<region>/load-balancer` and `<prefix>/<region>/api`, each the URL that `/health` and `/payments` follow.
"""

import functools
import json
import ssl
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.request import getproxies, proxy_bypass

import urllib3

LOAD_BALANCER, API = "load-balancer", "api"
OK, FENCED, RETURNING = "ok", "fenced", "returning"
# The answers of a region that lives, whether or not it takes traffic: it knows its own state.
ALIVE = frozenset({OK, FENCED, RETURNING})
# Said once, in `ask`, and not in the log with every probe.
urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
_ANSWER_LIMIT = 65536  # bytes; an answer of ours is far below


class DoorsUnknown(Exception):
    """Parameter Store does not name the doors of a region."""


class DoorSilent(Exception):
    """A door gave no HTTP answer; `reason` is an error's name."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the door gave no answer: {reason}")
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Doors:
    """URLs without a slash at the end."""

    load_balancer: str
    api: str

    def urls(self) -> dict[str, str]:
        return {LOAD_BALANCER: self.load_balancer, API: self.api}


@dataclass(frozen=True, kw_only=True)
class DoorAnswer:
    status: int
    body: dict[str, Any] = field(default_factory=dict)  # empty if it is no JSON object


def read_doors(ssm: Any, prefix: str, region: str) -> Doors:
    """The doors of `region`. Raises DoorsUnknown when one is not named, botocore's errors when SSM does not answer."""
    names = {door: f"{prefix}/{region}/{door}" for door in (LOAD_BALANCER, API)}
    answer = ssm.get_parameters(Names=sorted(names.values()))
    found = {each["Name"]: each["Value"].rstrip("/") for each in answer["Parameters"]}
    if missing := sorted(set(names.values()) - found.keys()):
        raise DoorsUnknown(f"parameter {' and '.join(missing)} is missing; deploy the global stack")
    return Doors(load_balancer=found[names[LOAD_BALANCER]], api=found[names[API]])


def health_of(url: str, *, deadline_seconds: float) -> str:
    """What the door at `url` says of its region: "ok", "fenced", "returning", "status <code>", or why it is silent."""
    try:
        answer = ask("GET", f"{url}/health", deadline_seconds=deadline_seconds)
    except DoorSilent as silence:
        return silence.reason
    if answer.status == HTTPStatus.OK:
        return OK
    said = answer.body.get("status")
    return said if said in (FENCED, RETURNING) else f"status {answer.status}"


def ask(
    method: str,
    url: str,
    *,
    deadline_seconds: float,
) -> DoorAnswer:
    """One request on a new connection, as a health checker makes it: what is open already proves nothing.

    The certificate is not validated. A load balancer is asked by its own name, which no certificate of ours carries,
    and AWS's health checks, which decide about the same door, validate none either (Elastic Load Balancing, "Target
    group health checks"; Route 53, API HealthCheckConfig). Nothing secret is sent. Raises DoorSilent.
    """
    timeout = urllib3.Timeout(total=deadline_seconds)
    with _pool(url) as pool:
        try:
            answer = pool.request(
                method,
                url,
                timeout=timeout,
                retries=False,
                preload_content=False,
            )
            text = answer.read(_ANSWER_LIMIT)
            answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise DoorSilent(type(error).__name__) from None
    return DoorAnswer(status=answer.status, body=_object(text))


def _pool(url: str) -> urllib3.PoolManager:
    """Through the proxy that the environment names for the URL, if any."""
    parts = urllib3.util.parse_url(url)
    proxy = getproxies().get(parts.scheme or "")
    if proxy and not proxy_bypass(parts.host or ""):
        return urllib3.ProxyManager(proxy, ssl_context=_unverified(), assert_hostname=False)
    return urllib3.PoolManager(ssl_context=_unverified(), assert_hostname=False)


@functools.cache
def _unverified() -> ssl.SSLContext:
    """One TLS context for all connections: without one, urllib3 reads the system's certificates for each."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _object(text: bytes) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
