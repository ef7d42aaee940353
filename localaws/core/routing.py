"""Routing of a request to a region, and its caller: read from its signature, or from the resource it names.

A signed call belongs to the region of its credential scope, but for services whose control plane lives in one region.
An unsigned call names an API, a load balancer, a function URL, a custom domain or a bucket, and belongs to its region.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote

from localaws import emulator
from localaws.core import http_server
from localaws.core.http_server import Message, Receive

# Services with one control plane for all regions [REGIONS-1].
CONTROL_PLANES = {
    "route53": "us-east-1",
    "route53domains": "us-east-1",
    "iam": "us-east-1",
    "cloudfront": "us-east-1",
    "organizations": "us-east-1",
    "shield": "us-east-1",
    "globalaccelerator": "us-west-2",
    "networkmanager": "us-west-2",
    "route53-recovery-control-config": "us-west-2",
    "route53-recovery-readiness": "us-west-2",
}

# Listening ports of the data plane add their region in this header. Handlers never see it.
REGION_HEADER = b"x-localaws-region"
# Lambda workers carry their region as the SDK's application id, which every SDK call shows in its user agent.
APPLICATION_ID = "localaws-"

_SIGV4 = re.compile(r"AWS4-HMAC-SHA256 .*?Credential=[^/,\s]+/\d{8}/([^/]+)/([^/]+)/aws4_request")
_SIGV4A = re.compile(r"AWS4-ECDSA-P256-SHA256 .*?Credential=[^/,\s]+/\d{8}/([^/]+)/aws4_request")
_PRESIGNED = re.compile(r"[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request")
_CALLER = re.compile(rf"\bapp/{APPLICATION_ID}([a-z0-9-]+)")
_API_PATH = re.compile(r"/_aws/execute-api/([^/]+)/|/restapis/([^/]+)/[^/]+/_user_request_(?:/|$)")
_API_HOST = re.compile(r"([a-z0-9]+)\.execute-api\.")
_FUNCTION_PATH = re.compile(r"/_aws/lambda-url/([^/]+)")
_FUNCTION_HOST = re.compile(r"([a-z0-9-]+)\.lambda-url\.")
_BALANCER_PATH = re.compile(r"/_alb/([^/]+)")
_BALANCER_HOST = re.compile(r"([a-z0-9-]+)\.alb\.localhost|.+\.elb\.(?:[a-z0-9-]+\.)?amazonaws\.com")
_BUCKET_HOST = re.compile(r"([a-z0-9][a-z0-9.-]+)\.(?:s3[.-].+|localhost)")
_OWN_PAGES = ("/_ministack/", "/_localstack/", "/health")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request by region, service and plane."""

    service: str  # the name it is signed for, or the data plane it reaches
    plane: str  # "control" or "data"
    region: str | None  # None: of no region, such as the emulator's own pages
    signed: bool
    caller: str | None = None  # region of the Lambda function that sent it
    buckets: tuple[str, ...] = ()
    located: bool = False  # its region comes from what it names, not from its signature

    @property
    def what(self) -> str:
        """The name its refusals are counted under."""
        return f"{self.plane}:{self.service}"

    def regions(self) -> tuple[str, ...]:
        """Every region that must be there for this call to be answered."""
        owners = (emulator.requests.bucket_region(bucket) for bucket in self.buckets)
        return tuple(region for region in (self.region, self.caller, *owners) if region)


@dataclass
class Headers:
    """The headers that determine the region, service and protocol of a request."""

    authorization: str = ""
    host: str = ""  # without the port
    user_agent: str = ""
    region_set: str = ""
    copy_source: str = ""
    from_region: str = ""  # of the listening port
    target: str = ""
    content_type: str = ""
    smithy: str = ""

    _NAMES: ClassVar[dict[bytes, str]] = {
        b"authorization": "authorization",
        b"host": "host",
        b"user-agent": "user_agent",
        b"x-amz-region-set": "region_set",
        b"x-amz-copy-source": "copy_source",
        REGION_HEADER: "from_region",
        b"x-amz-target": "target",
        b"content-type": "content_type",
        b"smithy-protocol": "smithy",
    }

    @classmethod
    def of(cls, raw: Sequence[tuple[bytes, bytes]]) -> "Headers":
        found = cls()
        for name, value in raw:
            if attribute := cls._NAMES.get(name):
                setattr(found, attribute, value.decode("latin-1"))
        found.host = found.host.partition(":")[0].lower()
        return found


def read(scope: Mapping[str, Any], headers: Headers, default_region: str) -> Call:
    """The call that an ASGI HTTP scope carries. `default_region` serves what names no region."""
    path: str = scope["path"]
    found = _CALLER.search(headers.user_agent)
    caller = found[1] if found else None
    signature = _signature(scope, headers)
    if reached := _data_plane(path, headers, signed=signature is not None):
        service, region = reached
        region = headers.from_region or region or default_region
        return Call(service=service, plane="data", region=region, signed=signature is not None, caller=caller)
    if signature:
        service, region = signature
        buckets = _buckets(path, headers) if service == "s3" else ()
        region = CONTROL_PLANES.get(service, region) or default_region
        return Call(service=service, plane="control", region=region, signed=True, caller=caller, buckets=buckets)
    if path.startswith(_OWN_PAGES):
        return Call(service="emulator", plane="control", region=None, signed=False)
    if buckets := tuple(bucket for bucket in _buckets(path, headers) if emulator.requests.bucket_region(bucket)):
        return Call(service="s3", plane="data", region=None, signed=False, caller=caller, buckets=buckets)
    return Call(service="unsigned", plane="control", region=default_region, signed=False, caller=caller)


def _signature(scope: Mapping[str, Any], headers: Headers) -> tuple[str, str | None] | None:
    """Service and region a call is signed for, in its header or, presigned, in its query."""
    if headers.authorization:
        if match := _SIGV4.match(headers.authorization):
            return match[2], match[1]
        if match := _SIGV4A.match(headers.authorization):
            return match[1], _one_region(headers.region_set)
        return None
    query: bytes = scope["query_string"]
    if b"X-Amz-Credential=" not in query:
        return None
    fields = parse_qs(query.decode("latin-1"))
    match = _PRESIGNED.match(fields["X-Amz-Credential"][0])
    return (match[2], match[1]) if match else None


def _one_region(region_set: str) -> str | None:
    return None if not region_set or "*" in region_set or "," in region_set else region_set.strip()


def is_for_every_region(headers: Headers) -> bool:
    """Whether a call is signed for more regions than one, which takes Signature Version 4A."""
    return bool(_SIGV4A.match(headers.authorization)) and _one_region(headers.region_set) is None


def _data_plane(path: str, headers: Headers, *, signed: bool) -> tuple[str, str | None] | None:
    """The data plane a request reaches through its address, with the region of the resource it names if that exists."""
    if match := _API_PATH.match(path):
        return "execute-api", emulator.requests.api_region(match[1] or match[2])
    if match := _BALANCER_PATH.match(path):
        return "elb", emulator.requests.load_balancer_region(match[1])
    if match := _FUNCTION_PATH.match(path):
        return "lambda-url", emulator.requests.function_url_region(match[1])
    if headers.host in ("127.0.0.1", "localhost"):
        return None
    if match := _API_HOST.match(headers.host):
        return "execute-api", emulator.requests.api_region(match[1])
    if match := _BALANCER_HOST.fullmatch(headers.host):
        return "elb", emulator.requests.load_balancer_region(match[1] or headers.host)
    if match := _FUNCTION_HOST.match(headers.host):
        return "lambda-url", emulator.requests.function_url_region(match[1])
    if not signed and (owner := emulator.requests.custom_domain_region(headers.host)):
        return "execute-api", owner
    return None


def _buckets(path: str, headers: Headers) -> tuple[str, ...]:
    """Buckets an S3 call names: in its host or path, and as the source of a copy."""
    match = _BUCKET_HOST.fullmatch(headers.host)
    named = match[1] if match else path.split("/", 2)[1] if path.count("/") else ""
    source = unquote(headers.copy_source).lstrip("/").partition("/")[0]
    return tuple(bucket for bucket in (named, source) if bucket)


_LONGEST_BODY = 1024 * 1024  # bytes; PutEvents takes 256 KB

Locate = Callable[[dict[str, Any]], str | None]
_locators: dict[tuple[str, str], Locate] = {}


def serve_every_region(service: str, operation: str, locate: Locate) -> None:
    """Serve an operation that is signed for every region in the one that `locate(its parameters)` returns."""
    _locators[service, operation] = locate


async def located(call: Call, headers: Headers, receive: Receive) -> tuple[Call, Receive]:
    """`call` in the region that it is for, and its body to read once more."""
    locate = _locators.get((call.service, headers.target.rpartition(".")[2]))
    if locate is None or not is_for_every_region(headers):
        return call, receive
    body = await http_server.read_body(receive, at_most=_LONGEST_BODY)
    region = _region(locate, body)
    return (replace(call, region=region, located=True) if region else call), _again(body, receive)


def _region(locate: Locate, body: bytes) -> str | None:
    try:
        parameters = json.loads(body)
    except ValueError:
        return None
    return locate(parameters) if isinstance(parameters, dict) else None


def _again(body: bytes, receive: Receive) -> Receive:
    """`receive` as if the body had not been read yet."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return pending.pop() if pending else await receive()

    return receive_again
