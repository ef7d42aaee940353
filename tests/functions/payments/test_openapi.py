"""The API document describes what the models accept and what the routes answer."""

import json
from pathlib import Path
from typing import Any

import payments
import pytest
from payments.models import AcceptedPayment, Payment
from pydantic import BaseModel

from common.http_messages import FieldError, Problem
from components.ingress import openapi
from tests.functions.harness import EAST_1, EAST_2, MakeFunction, Tables

DOCUMENT = json.loads((Path(payments.__file__).parent / "openapi.json").read_text())
SCHEMAS = DOCUMENT["components"]["schemas"]
MODELS: list[type[BaseModel]] = [Payment, AcceptedPayment, Problem, FieldError]

# What API Gateway reads of JSON schema draft 4, as far as the document uses it.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
KEYWORDS = {"type", "description", "pattern", "enum", "required", "properties", "additionalProperties", "items", "$ref"}


@pytest.mark.parametrize("model", MODELS)
def test_a_schema_has_the_fields_of_its_model(model: type[BaseModel]) -> None:
    schema, own = SCHEMAS[model.__name__], model.model_json_schema()

    assert schema["properties"].keys() == own["properties"].keys()
    assert sorted(schema["required"]) == sorted(own["required"])


def test_a_payment_is_checked_alike_by_document_and_model() -> None:
    own = Payment.model_json_schema()["properties"]

    for name, schema in SCHEMAS["Payment"]["properties"].items():
        assert (name, schema["type"], schema["pattern"]) == (name, own[name]["type"], own[name]["pattern"])
    assert SCHEMAS["Payment"]["additionalProperties"] is False


def test_the_schemas_keep_to_what_api_gateway_reads() -> None:
    def keywords(schema: dict[str, Any]) -> set[str]:
        inner = [*schema.get("properties", {}).values(), *(schema[k] for k in ("items",) if k in schema)]
        return schema.keys() | {keyword for each in inner for keyword in keywords(each)}

    assert {keyword for schema in SCHEMAS.values() for keyword in keywords(schema)} <= KEYWORDS


def test_every_route_has_a_name_and_no_vendor_extension() -> None:
    operations = [operation for path in DOCUMENT["paths"].values() for operation in path.values()]

    assert [operation["operationId"] for operation in operations] == ["acceptPayment", "findPayment"]
    assert '"x-' not in json.dumps(DOCUMENT)


def test_who_may_call_is_left_to_the_api_component_which_agrees_with_the_load_balancer(function: MakeFunction) -> None:
    service = function()
    operations = [
        (method.upper(), path, operation)
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
    ]
    secured = openapi.secured(DOCUMENT, "api-key")["paths"]

    assert not [path for _, path, operation in operations if "security" in operation]
    assert "security" not in DOCUMENT
    assert "securitySchemes" not in DOCUMENT["components"]
    asked_by_api = {(method, path) for method, path, _ in operations if "security" in secured[path][method.lower()]}
    asked_by_us = {
        (method, path)
        for method, path, _ in operations
        if service.ask(method, path.replace("{id}", "order-0001"), key=None).status == 401
    }
    assert asked_by_api == asked_by_us == {("POST", "/payments"), ("GET", "/payments/{id}")}


def test_every_answer_is_one_the_document_describes(function: MakeFunction, tables: Tables) -> None:
    service = function()
    described = {
        (method.upper(), path): {int(status): [*answer["content"]] for status, answer in operation["responses"].items()}
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
    }
    pay, find = ("POST", "/payments"), ("GET", "/payments/{id}")
    answers = [
        (pay, service.pay()),
        (pay, service.pay()),
        (pay, service.pay(amount="1.00")),
        (pay, service.pay(id=None)),
        (pay, service.pay(reference="x" * 9000)),
        (find, service.ask("GET", "/payments/order-0001")),
        (find, service.ask("GET", "/payments/order-0002")),
        (pay, service.ask("POST", "/payments", key=None)),
        (find, service.ask("GET", "/payments/order-0001", key=None)),
    ]
    for silent in (EAST_1, EAST_2):
        tables.silent = {silent}
        answers.append((pay, service.pay(id=f"order-{silent}")))
    tables.silent = {EAST_1}
    answers.append((find, service.ask("GET", "/payments/order-0001")))

    for route, answer in answers:
        assert [answer.headers["Content-Type"]] == described[route].get(answer.status), f"{route} {answer.status}"
    seen = {route: {answer.status for at, answer in answers if at == route} for route in described}
    assert seen == {route: {*statuses} for route, statuses in described.items()}, "described and never given"
