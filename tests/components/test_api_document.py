"""The API's document: the same operations whoever may call them, and what each access asks."""

import json
from typing import Any

import pytest

from components.compute.function import SOURCES
from components.ingress.load_balancers import HEALTH_PATH
from components.ingress.openapi import OPEN_PATHS, Access, document, guarded, health_description, secured, with_health

DESCRIBED: dict[str, Any] = json.loads((SOURCES / "payments" / "openapi.json").read_text())

NAMED: dict[str, Any] = {"title": "payments", "invoke_arn": "arn:function", "health_invoke_arn": "arn:health"}


def read(access: Access) -> dict[str, Any]:
    return dict(json.loads(document(DESCRIBED, access=access, **NAMED)))


def operations(api: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{method} {path}": operation for path, item in api["paths"].items() for method, operation in item.items()}


def requirements(access: Access) -> dict[str, list[str]]:
    """By operation: the schemes it asks for."""
    return {
        name: [scheme for each in operation.get("security", []) for scheme in each]
        for name, operation in operations(read(access)).items()
    }


def test_every_operation_invokes_the_function_and_health_its_own() -> None:
    found = {name: operation["x-amazon-apigateway-integration"] for name, operation in operations(read("open")).items()}

    assert {name: each["uri"] for name, each in found.items()} == {
        "post /payments": "arn:function",
        "get /payments/{id}": "arn:function",
        "get /health": "arn:health",
    }
    assert all((each["type"], each["httpMethod"]) == ("aws_proxy", "POST") for each in found.values())


def test_health_is_described_once_for_every_workload() -> None:
    added = with_health({"info": {"title": "orders"}, "paths": {"/orders": {}}})

    assert added["paths"]["/health"] == health_description()["paths"]["/health"]
    assert added["components"]["schemas"] == health_description()["components"]["schemas"]


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({"paths": {"/health": {}}}, "describes path /health"),
        ({"paths": {}, "components": {"schemas": {"HealthReport": {}}}}, "describes schema HealthReport"),
    ],
)
def test_a_workload_that_describes_health_itself_is_refused(described: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        with_health(described)


def test_open_asks_nothing_and_is_the_default() -> None:
    assert not any(requirements("open").values())
    assert document(DESCRIBED, **NAMED) == document(DESCRIBED, access="open", **NAMED)


@pytest.mark.parametrize(("access", "scheme"), [("iam", "signature"), ("api-key", "clientKey")])
def test_payments_require_the_configured_access_and_health_none(access: Access, scheme: str) -> None:
    assert requirements(access) == {
        "post /payments": [scheme],
        "get /payments/{id}": [scheme],
        "get /health": [],
    }


def test_iam_is_api_gateways_signature_scheme() -> None:
    assert read("iam")["components"]["securitySchemes"] == {
        "signature": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "x-amazon-apigateway-authtype": "awsSigv4",
        }
    }


def test_keys_come_in_the_header_that_api_gateway_reads() -> None:
    api = read("api-key")

    assert api["components"]["securitySchemes"] == {
        "clientKey": {"type": "apiKey", "in": "header", "name": "x-api-key"}
    }
    assert api["x-amazon-apigateway-api-key-source"] == "HEADER"
    assert "Payment" in api["components"]["schemas"], "the schemes stand beside the schemas, not in their place"


@pytest.mark.parametrize("access", ["open", "iam", "api-key"])
def test_the_description_itself_is_left_as_it_was(access: Access) -> None:
    before = json.dumps(DESCRIBED)
    secured(DESCRIBED, access)
    read(access)

    assert json.dumps(DESCRIBED) == before


def test_guarded_operations_are_spelt_as_in_arns() -> None:
    assert guarded(DESCRIBED) == ["GET/payments/*", "POST/payments"]


def test_what_is_open_is_what_health_checkers_ask() -> None:
    assert frozenset({HEALTH_PATH}) == OPEN_PATHS
