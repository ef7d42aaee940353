"""HTTP requests as Lambda events, and error responses as problem details (RFC 9457).

Two entry points send events: API Gateway (REST proxy event, format 1.0) and the Application Load Balancer (target
event). Either way a function gets the path that the API document names: without API Gateway's stage or a custom
domain's base path, and without a trailing slash.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

PROBLEM_MEDIA_TYPE = "application/problem+json"
# A response holds a payment or the state of one moment; no cache may keep it.
RESPONSE_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class EntryPoint(StrEnum):
    """The entry point of a region that sent the event."""

    API_GATEWAY = "api-gateway"
    LOAD_BALANCER = "load-balancer"


class UnknownEventError(ValueError):
    """The event is of neither entry point."""


def entry_point(event: Mapping[str, Any]) -> EntryPoint:
    """The entry point that sent `event`. Raises UnknownEventError."""
    context = event.get("requestContext")
    if isinstance(context, Mapping) and "httpMethod" in event and "path" in event:
        if "elb" in context:
            return EntryPoint.LOAD_BALANCER
        if "stage" in context:
            return EntryPoint.API_GATEWAY
    raise UnknownEventError(
        "the event is neither an API Gateway REST proxy event (format 1.0) nor a load balancer's target event; "
        f"it has {sorted(event)}"
    )


VERIFICATION_STAGE = "recovery"


def is_verification(event: Mapping[str, Any]) -> bool:
    """Whether `recovery` invoked the function directly, with an event of API Gateway's form. No client can set the
    stage, and no API has one of this name."""
    return bool(event["requestContext"].get("stage") == VERIFICATION_STAGE)


def plain_path(event: Mapping[str, Any]) -> str:
    """The request's path as the API document names it.

    API Gateway's `path` may include a custom domain's base path; `resource` and `pathParameters` hold what it matched
    [APIGW-7].
    """
    path: str = event["path"]
    resource = event.get("resource")
    if resource:
        values = event.get("pathParameters") or {}
        path = re.sub(r"{(\w+)\+?}", lambda name: values.get(name[1], name[0]), resource)
        path = path if path.startswith("/") else f"/{path}"
    return path.rstrip("/") or "/"


def plain_headers(event: Mapping[str, Any]) -> dict[str, str]:
    """The request's headers by lower-case name, the last value of each; reads single-value and multi-value events."""
    several = event.get("multiValueHeaders")
    if several:
        return {name.lower(): values[-1] for name, values in several.items() if values}
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def query_value(event: Mapping[str, Any], name: str) -> str | None:
    """The last value of a query parameter, None if absent; reads single-value and multi-value events."""
    several = event.get("multiValueQueryStringParameters")
    if several:
        values = several.get(name)
        return values[-1] if values else None
    value: str | None = (event.get("queryStringParameters") or {}).get(name)
    return value


def add_header(response: dict[str, Any], name: str, value: str) -> None:
    """Set a header of `response`, as one value or as a list, whichever form the entry point expects."""
    if "multiValueHeaders" in response:
        response["multiValueHeaders"][name] = [value]
    else:
        response.setdefault("headers", {})[name] = value


class FieldError(BaseModel):
    """One invalid field of a request; holds names that a client sent, never values."""

    field: str
    reason: str


class Problem(BaseModel):
    """Problem details, with the errors of single fields as an extension member."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None

    @classmethod
    def of(
        cls, service: str, kind: str, status: HTTPStatus, detail: str, errors: Sequence[FieldError] | None = None
    ) -> "Problem":
        """`kind` is the problem's stable name within `service`."""
        return cls(
            type=f"urn:problem-type:{service}:{kind}",
            title=kind.replace("-", " ").capitalize(),
            status=status.value,
            detail=detail,
            errors=list(errors) if errors is not None else None,
        )
