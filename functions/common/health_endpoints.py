"""A region's health endpoints, as an external client reaches them: their URLs, and one request to one of them.

A region reads no other stack, so the URLs are parameters that the global stack writes into both regions:
`<prefix>/<region>/load-balancer` and `<prefix>/<region>/api`; `/health` and `/payments` are appended to them.
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
OK, FENCED, RETURNING, OVERLOADED = "ok", "fenced", "returning", "overloaded"
# Responses of a region that is alive, whether or not it serves traffic: it can evaluate its own state.
ALIVE = frozenset({OK, FENCED, RETURNING})
# Statuses with which ELB and API Gateway answer themselves when Lambda throttles the health function, or does not run
# it [ALB-8] [APIGW-10].
_GATEWAY_STATUSES = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
# The reason is in `send_request`; the log need not repeat it with every probe.
urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
_BODY_LIMIT = 65536  # bytes; the functions' responses are far below


class EndpointsNotFound(Exception):
    """Parameter Store lacks the URL of an endpoint; the message names the parameter."""


class EndpointUnreachable(Exception):
    """An endpoint gave no HTTP response; `reason` is the error's class name."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the endpoint gave no response: {reason}")
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """A region's URLs, without a trailing slash."""

    load_balancer: str
    api: str

    def urls(self) -> dict[str, str]:
        """URL by endpoint name."""
        return {LOAD_BALANCER: self.load_balancer, API: self.api}


@dataclass(frozen=True, kw_only=True)
class EndpointResponse:
    """An HTTP response; `body` is empty unless it is a JSON object."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)


def read_endpoints(ssm: Any, prefix: str, region: str) -> Endpoints:
    """The endpoints of `region`. Raises EndpointsNotFound, and botocore's errors when SSM does not answer."""
    names = {endpoint: f"{prefix}/{region}/{endpoint}" for endpoint in (LOAD_BALANCER, API)}
    response = ssm.get_parameters(Names=sorted(names.values()))
    found = {each["Name"]: each["Value"].rstrip("/") for each in response["Parameters"]}
    if missing := sorted(set(names.values()) - found.keys()):
        raise EndpointsNotFound(f"parameter {' and '.join(missing)} is missing; deploy the global stack")
    return Endpoints(load_balancer=found[names[LOAD_BALANCER]], api=found[names[API]])


def probe_health(url: str, *, deadline_seconds: float) -> str:
    """The health that the endpoint at `url` reports: "ok", "fenced", "returning", "status <code>", or the name of the
    error if it gave no response.

    "overloaded" is a response that ELB or API Gateway made itself: the region's endpoint is there, and its function
    was not executed. The function's own responses name a status, also those of its errors.
    """
    try:
        response = send_request("GET", f"{url}/health", deadline_seconds=deadline_seconds)
    except EndpointUnreachable as error:
        return error.reason
    if response.status == HTTPStatus.OK:
        return OK
    reported = response.body.get("status")
    if reported is None and response.status in _GATEWAY_STATUSES:
        return OVERLOADED
    return reported if reported in (FENCED, RETURNING) else f"status {response.status}"


def send_request(method: str, url: str, *, deadline_seconds: float) -> EndpointResponse:
    """One request on a new connection, like a health checker's: an open connection proves nothing.

    The certificate is not validated. A load balancer is reached by its AWS name, which our certificates do not cover,
    and AWS's health checks of the same endpoint validate none either (Elastic Load Balancing, "Target group health
    checks"; Route 53, API HealthCheckConfig). Nothing secret is sent. Raises EndpointUnreachable.
    """
    timeout = urllib3.Timeout(total=deadline_seconds)
    with _pool(url) as pool:
        try:
            response = pool.request(method, url, timeout=timeout, retries=False, preload_content=False)
            text = response.read(_BODY_LIMIT)
            response.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise EndpointUnreachable(type(error).__name__) from None
    return EndpointResponse(status=response.status, body=_json_object(text))


def _pool(url: str) -> urllib3.PoolManager:
    """Connects through the proxy that the environment names for the URL, if any."""
    parts = urllib3.util.parse_url(url)
    proxy = getproxies().get(parts.scheme or "")
    if proxy and not proxy_bypass(parts.host or ""):
        return urllib3.ProxyManager(proxy, ssl_context=_unverified(), assert_hostname=False)
    return urllib3.PoolManager(ssl_context=_unverified(), assert_hostname=False)


@functools.cache
def _unverified() -> ssl.SSLContext:
    """One TLS context for all connections: without one, urllib3 loads the system's certificates for each."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
