"""HTTP requests as Lambda events: API Gateway's REST proxy event (format 1.0) and the load balancer's target event.

From either one a function reads the path that the product's API names: without API Gateway's stage or a custom domain's
base path, and without a slash at the end.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Door(StrEnum):
    """Which of a region's two entry points sent the event."""

    API_GATEWAY = "api-gateway"
    LOAD_BALANCER = "load-balancer"


class UnknownEventError(ValueError):
    """The function was invoked with an event of neither door."""


def door_of(event: Mapping[str, Any]) -> Door:
    """Which door `event` came through. Raises UnknownEventError."""
    context = event.get("requestContext")
    if isinstance(context, Mapping) and "httpMethod" in event and "path" in event:
        if "elb" in context:
            return Door.LOAD_BALANCER
        if "stage" in context:
            return Door.API_GATEWAY
    raise UnknownEventError(
        "the event is neither an API Gateway REST proxy event (format 1.0) nor a load balancer's target event; "
        f"it has {sorted(event)}"
    )


def plain_path(event: Mapping[str, Any]) -> str:
    """The request's path as the API's document names it.

    API Gateway's `path` may hold a custom domain's base path; `resource` and `pathParameters` say what it matched
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
    """The request's headers by lower-case name, the last value of each, whichever of its two forms the event has."""
    several = event.get("multiValueHeaders")
    if several:
        return {name.lower(): values[-1] for name, values in several.items() if values}
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def query_value(event: Mapping[str, Any], name: str) -> str | None:
    """The last value of a query parameter, whichever of its two forms the event has; None if the query lacks it."""
    several = event.get("multiValueQueryStringParameters")
    if several:
        values = several.get(name)
        return values[-1] if values else None
    value: str | None = (event.get("queryStringParameters") or {}).get(name)
    return value


def add_header(answer: dict[str, Any], name: str, value: str) -> None:
    """Set a header of an answer in the form the door expects."""
    if "multiValueHeaders" in answer:
        answer["multiValueHeaders"][name] = [value]
    else:
        answer.setdefault("headers", {})[name] = value
