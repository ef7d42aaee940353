"""The OpenAPI document of the API: the workload's, `/health` added, with what API Gateway needs to run it."""

import copy
import functools
import json
import re
from collections.abc import Iterator
from typing import Any, Literal

from components.compute.function import SOURCES
from shared import client_keys

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
VALIDATOR = "parameters"

Access = Literal["open", "iam", "api-key"]
OPEN_PATHS = frozenset({"/health"})
"""Paths that need no credentials, since health checkers have none."""

# Both are schemes of type apiKey [APIGW-5]; their names are ours.
_SCHEMES: dict[Access, tuple[str, dict[str, str]]] = {
    "iam": (
        "signature",
        {"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authtype": "awsSigv4"},
    ),
    "api-key": ("clientKey", {"type": "apiKey", "in": "header", "name": client_keys.HEADER}),
}


def document(
    described: dict[str, Any], *, title: str, invoke_arn: str, health_invoke_arn: str, access: Access = "open"
) -> str:
    """`described` and `/health`, with a proxy integration to `invoke_arn` on every operation of the workload and to
    `health_invoke_arn` on ours, and the callers' credentials by `access`, as JSON that is the same every time."""
    api = with_health(described)
    api["info"]["title"] = title
    # Bodies are validated by the function, for both endpoints alike: API Gateway would refuse a bad one too, but
    # without the field and the reason.
    api["x-amazon-apigateway-request-validators"] = {
        VALIDATOR: {"validateRequestBody": False, "validateRequestParameters": True}
    }
    api["x-amazon-apigateway-request-validator"] = VALIDATOR
    for _, path, operation in _operations(api):
        operation["x-amazon-apigateway-integration"] = {
            "type": "aws_proxy",
            # Lambda is always invoked by POST, regardless of the client's method.
            "httpMethod": "POST",
            "uri": health_invoke_arn if path in OPEN_PATHS else invoke_arn,
            "passthroughBehavior": "when_no_match",
        }
    return json.dumps(secured(api, access), sort_keys=True)


def with_health(described: dict[str, Any]) -> dict[str, Any]:
    """`described` with the operation that the health function answers. Raises ValueError if it describes that path, or
    another schema under one of these names."""
    api, ours = copy.deepcopy(described), copy.deepcopy(health_description())
    schemas = api.setdefault("components", {}).setdefault("schemas", {})
    for kind, theirs, own in (
        ("path", api["paths"], ours["paths"]),
        ("schema", schemas, ours["components"]["schemas"]),
    ):
        if taken := sorted(theirs.keys() & own.keys()):
            raise ValueError(
                f"the workload's openapi.json describes {kind} {', '.join(taken)}, which belongs to the health "
                "function; take it out (docs/own-workload.md)"
            )
        theirs.update(own)
    return api


@functools.cache
def health_description() -> dict[str, Any]:
    """The OpenAPI document of the health function, which every region's API includes."""
    described: dict[str, Any] = json.loads((SOURCES / "health" / "openapi.json").read_text())
    return described


def secured(described: dict[str, Any], access: Access) -> dict[str, Any]:
    """`described` with a security requirement on every operation outside `OPEN_PATHS`. On operations, since API Gateway
    ignores a requirement at the root of the document ("Amazon API Gateway important notes")."""
    api = copy.deepcopy(described)
    if access == "open":
        return api
    name, scheme = _SCHEMES[access]
    api.setdefault("components", {}).setdefault("securitySchemes", {})[name] = dict(scheme)
    if access == "api-key":
        api["x-amazon-apigateway-api-key-source"] = "HEADER"
    for _, path, operation in _operations(api):
        if path not in OPEN_PATHS:
            operation["security"] = [{name: []}]
    return api


def guarded(described: dict[str, Any]) -> list[str]:
    """The operations outside `OPEN_PATHS` as an ARN's `METHOD/path`, a parameter as `*`: `GET/payments/*`."""
    return sorted(
        f"{method.upper()}{re.sub(r'{[^}]+}', '*', path)}"
        for method, path, _ in _operations(described)
        if path not in OPEN_PATHS
    )


def _operations(api: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in api["paths"].items():
        for method in METHODS:
            if operation := item.get(method):
                yield method, path, operation
