"""Responses to clients, through either entry point."""

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from common.http_messages import UnknownEventError
from tests.functions.harness import (
    EAST_1,
    EAST_2,
    EVENTS,
    Answer,
    Function,
    LambdaContext,
    MakeFunction,
    Tables,
    payment,
    through_api_gateway,
)


@pytest.fixture(params=sorted(EVENTS))
def pay_service(request: pytest.FixtureRequest, function: MakeFunction) -> Function:
    return function(entry_point=request.param)


def test_a_payment_is_accepted_in_both_regions_and_found_again(pay_service: Function, tables: Tables) -> None:
    accepted = pay_service.pay()

    assert accepted.status == 201
    assert accepted.body["durability"] == "both-regions"
    assert accepted.headers["Location"] == "payments/order-0001"
    assert tables.items(EAST_1) == tables.items(EAST_2), "the regions hold different items"
    found = pay_service.ask("GET", "/payments/order-0001")
    assert found.status == 200
    assert {**found.body, "durability": "both-regions"} == accepted.body
    assert {**payment(), "accepted_in": EAST_1}.items() <= found.body.items()


def test_the_same_payment_again_gets_the_same_answer(pay_service: Function) -> None:
    first, again = pay_service.pay(amount="12.5"), pay_service.pay(amount="12.50")

    assert (first.status, again.status) == (201, 200)
    assert again.body == first.body
    assert again.headers["X-Served-By-Region"] == EAST_1


def test_another_payment_under_a_used_id_is_a_conflict_and_changes_nothing(
    pay_service: Function, tables: Tables
) -> None:
    pay_service.pay()
    before = tables.items(EAST_1)

    refused = pay_service.pay(amount="13.00")

    assert refused.status == 409
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert "12.50" not in str(refused.body), "the answer has the other payment's content"
    assert tables.items(EAST_1) == tables.items(EAST_2) == before


@pytest.mark.parametrize("entry_point", ["load-balancer", "api-gateway"])
def test_a_client_cannot_take_the_id_of_a_payment_that_verifies_a_recovery(
    function: MakeFunction, tables: Tables, entry_point: str
) -> None:
    refused = function(entry_point=entry_point).pay(id="synthetic-0123456789")

    assert (refused.status, refused.body["errors"][0]["field"]) == (400, "id")
    assert tables.items(EAST_1) == {}


def test_the_payment_of_a_recovery_is_marked_from_the_start(function: MakeFunction, tables: Tables) -> None:
    service = function(entry_point="api-gateway")
    body = json.dumps(payment(id="synthetic-0123456789"))

    taken = service.ask("POST", "/payments", body, requestContext={"stage": "recovery", "identity": {}})

    assert taken.status == 201
    assert tables.items(EAST_2)["payment#synthetic-0123456789"]["synthetic"] == {"BOOL": True}


def test_every_wrong_field_is_named_with_its_reason(pay_service: Function, tables: Tables) -> None:
    refused = pay_service.pay(id=None, amount=12.5, currency="eur", creditor="no spaces", colour="red")

    assert refused.status == 400
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail"} <= refused.body.keys()
    reasons = {error["field"]: error["reason"] for error in refused.body["errors"]}
    assert reasons.keys() == {"id", "amount", "currency", "creditor", "colour"}
    assert reasons["id"].startswith("is required")
    assert "idempotency key" in reasons["id"]
    assert "decimal string" in reasons["amount"]
    assert reasons["colour"] == "is not a field of a payment"
    assert tables.items(EAST_1) == {}


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"text"', "[" * 5000, '{"id": "\\ud800aaaaaaaa"}'])
def test_a_body_that_is_no_payment_is_refused(pay_service: Function, body: str) -> None:
    refused = pay_service.ask("POST", "/payments", body)

    assert refused.status == 400
    assert refused.body["errors"]


def test_a_body_in_base64_is_read(pay_service: Function) -> None:
    body = base64.b64encode(json.dumps(payment()).encode()).decode()

    assert pay_service.ask("POST", "/payments", body, isBase64Encoded=True).status == 201


@pytest.mark.parametrize(
    ("body", "in_base64"),
    [("%%%", True), ("é", True), (base64.b64encode(b"\xff\xfe").decode(), True), ("\ud800", False)],
)
def test_bytes_that_are_no_text_are_refused(pay_service: Function, body: str, in_base64: bool) -> None:
    refused = pay_service.ask("POST", "/payments", body, isBase64Encoded=in_base64)

    assert refused.status == 400
    assert refused.body["errors"] == [{"field": "body", "reason": "is not UTF-8 text"}]


@pytest.mark.parametrize("in_base64", [False, True])
def test_a_large_body_is_refused(pay_service: Function, in_base64: bool) -> None:
    body = json.dumps(payment(reference="x" * 9000))
    body = base64.b64encode(body.encode()).decode() if in_base64 else body

    refused = pay_service.ask("POST", "/payments", body, isBase64Encoded=in_base64)

    assert refused.status == 413
    assert refused.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("payment_id", ["order-0002", "short", "a" * 65, "order%200001"])
def test_an_unknown_id_is_not_found(pay_service: Function, payment_id: str) -> None:
    missing = pay_service.ask("GET", f"/payments/{payment_id}")

    assert missing.status == 404
    assert missing.body["type"] == "urn:problem-type:payments:unknown-payment"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/payments", "POST"), ("DELETE", "/payments/order-0001", "GET")],
)
def test_a_wrong_method_gets_the_right_one(pay_service: Function, method: str, path: str, allowed: str) -> None:
    refused = pay_service.ask(method, path)

    assert refused.status == 405
    assert refused.headers["Allow"] == allowed
    assert refused.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/", "/health", "/payment", "/payments/order-0001/more", '/payments/quo"te'])
def test_an_unknown_path_is_not_found(pay_service: Function, path: str) -> None:
    missing = pay_service.ask("GET", path)

    assert missing.status == 404
    assert missing.body["type"] == "urn:problem-type:payments:unknown-path"


def test_a_slash_at_the_end_changes_nothing(pay_service: Function) -> None:
    pay_service.pay()

    assert pay_service.ask("GET", "/payments/order-0001/").status == 200


@pytest.mark.parametrize("prefix", ["/live", "/v1"])
def test_a_stage_or_base_path_before_the_path_changes_nothing(function: MakeFunction, prefix: str) -> None:
    service = function(entry_point="api-gateway")
    service.pay()
    event = {**through_api_gateway("GET", "/payments/order-0001", None), "path": f"{prefix}/payments/order-0001"}

    assert service.answer(event, LambdaContext())["statusCode"] == 200


def test_a_load_balancer_with_multi_value_headers_is_answered_in_kind(function: MakeFunction) -> None:
    service = function()
    service.pay()
    event = service.event("GET", "/payments/order-0001", None)
    event["multiValueHeaders"] = {name: [value] for name, value in event.pop("headers").items()}

    raw = service.answer(event, LambdaContext())

    assert raw["statusCode"] == 200
    assert raw["multiValueHeaders"]["X-Correlation-Id"] == ["Root=1-abc"]


@pytest.mark.parametrize(
    ("headers", "entry_point", "correlation"),
    [
        ({"X-Correlation-Id": "mine-1"}, "api-gateway", "mine-1"),
        ({"x-correlation-id": "mine-1"}, "load-balancer", "mine-1"),
        ({"X-Correlation-Id": 'forged"\r\nline'}, "api-gateway", "api-request"),
        ({"x-correlation-id": "x" * 129}, "load-balancer", "Root=1-abc"),
        ({"x-amzn-trace-id": ""}, "load-balancer", "lambda-request"),
    ],
)
def test_an_answer_carries_its_correlation_id(
    function: MakeFunction, headers: dict[str, str], entry_point: str, correlation: str
) -> None:
    service = function(entry_point=entry_point)

    answer = service.ask("GET", "/payments/order-0001", headers=headers)

    assert answer.headers["X-Correlation-Id"] == correlation
    assert service.log_lines()[-1]["correlation_id"] == correlation


def test_no_answer_may_be_kept_on_the_way(pay_service: Function) -> None:
    answers = [pay_service.pay(), pay_service.pay(id=None), pay_service.ask("GET", "/payments/order-0001")]

    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}


@pytest.mark.parametrize("event", [{}, {"version": "2.0", "requestContext": {"http": {}}}, {"Records": []}])
def test_an_event_of_no_entry_point_is_an_error(function: MakeFunction, event: dict[str, Any]) -> None:
    with pytest.raises(UnknownEventError, match="neither an API Gateway"):
        function().answer(event, LambdaContext())


def test_two_threads_are_each_answered_about_their_own_payment(function: MakeFunction) -> None:
    """The first request is held up inside the router, where it could be robbed of its event by the second."""
    service, second_answered = function(), threading.Event()

    class SlowMethod(str):
        def upper(self) -> str:
            second_answered.wait(0.3)
            return "POST"

    def pay_second() -> Answer:
        answer = service.pay(id="order-second")
        second_answered.set()
        return answer

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(service.ask, SlowMethod("POST"), "/payments", json.dumps(payment(id="order-first")))
        second = pool.submit(pay_second)

    assert [answer.result().body["id"] for answer in (first, second)] == ["order-first", "order-second"]
