"""Clients that may pay through the load balancer: docs/decisions/0004-callers-of-the-accelerator-endpoint.md."""

import hmac
import json
from typing import Any

import pytest

from tests.functions.harness import (
    CLIENT,
    EAST_1,
    KEY,
    Answer,
    Function,
    LambdaContext,
    MakeFunction,
    Tables,
    hashes,
    payment,
)
from tests.functions.payments.test_telemetry import metrics

WRONG = [None, "", "wrong" * 10, KEY[:-1], KEY + "x", KEY.lower(), f" {KEY}", f"{KEY}, {KEY}", "ключ", "\ud800"]


def pay(service: Function, key: str | None, **more: Any) -> Answer:
    return service.ask("POST", "/payments", json.dumps(payment()), key=key, **more)


@pytest.mark.parametrize("key", WRONG)
def test_without_a_clients_key_nothing_is_done(function: MakeFunction, tables: Tables, key: str | None) -> None:
    refused = pay(function(), key)

    assert refused.status == 401
    assert refused.headers["WWW-Authenticate"] == "ApiKey"
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["X-Served-By-Region"] == EAST_1
    assert refused.body["type"] == "urn:problem-type:payments:unauthorized"
    assert tables.items(EAST_1) == {}


def test_a_wrong_key_is_answered_like_a_missing_one(function: MakeFunction) -> None:
    service = function()

    assert pay(service, "wrong" * 10) == pay(service, None)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/payments/order-0001"), ("GET", "/"), ("GET", "/health"), ("DELETE", "/payments")]
)
def test_nothing_is_answered_without_a_key(function: MakeFunction, method: str, path: str) -> None:
    assert function().ask(method, path, key=None).status == 401


def test_each_clients_key_is_accepted_whatever_the_headers_case(function: MakeFunction) -> None:
    keys = {"shop": "a" * 40, "shop-next": "b" * 40}
    service = function(CLIENT_KEY_HASHES=hashes(**keys))

    assert [pay(service, key).status for key in keys.values()] == [201, 200]
    assert pay(service, None, headers={"X-Api-Key": "b" * 40}).status == 200


def test_a_load_balancer_with_multi_value_headers_shows_the_key_too(function: MakeFunction) -> None:
    service = function()

    def ask(*keys: str) -> dict[str, Any]:
        event = service.event("POST", "/payments", json.dumps(payment()))
        del event["headers"]
        return service.answer({**event, "multiValueHeaders": {"x-api-key": [*keys]}}, LambdaContext())

    refused = ask("wrong")
    assert refused["statusCode"] == 401
    assert refused["multiValueHeaders"]["WWW-Authenticate"] == ["ApiKey"]
    assert ask(KEY)["statusCode"] == 201


def test_every_hash_is_compared_and_in_constant_time(function: MakeFunction, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def compare(shown: str, known: str) -> bool:
        compared.append(known)
        return hmac_compare(shown, known)

    hmac_compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", compare)
    given = hashes(first=KEY, second="b" * 40, third="c" * 40)

    assert pay(function(CLIENT_KEY_HASHES=given), KEY).status == 201
    assert compared == [*json.loads(given).values()]


def test_callers_of_the_api_are_not_checked_again(function: MakeFunction) -> None:
    service = function(entry_point="api-gateway")

    assert service.pay().status == 201
    assert service.ask("GET", "/payments/order-0001", headers={"x-api-key": "wrong"}).status == 200


def test_the_log_names_the_client_and_never_shows_a_key(
    function: MakeFunction, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")
    service, wrong = function(), "wrong" * 10

    pay(service, KEY)
    pay(service, wrong)

    paid, refused = service.log_lines()
    assert (paid["client"], paid["status"]) == (CLIENT, 201)
    assert {"status": 401, "route": "/payments", "method": "POST"}.items() <= refused.items()
    assert "client" not in refused
    written = service.log.getvalue() + capsys.readouterr().out
    assert KEY not in written
    assert wrong not in written


def test_an_unexpected_error_shows_no_key(function: MakeFunction, monkeypatch: pytest.MonkeyPatch) -> None:
    service = function()
    monkeypatch.setattr("payments.journal.Journal.add", lambda *_, **__: 1 / 0)

    answer = pay(service, KEY)

    assert answer.status == 500
    assert KEY not in service.log.getvalue() + str(answer)


def test_a_refused_caller_is_counted_and_no_client_is_a_dimension(
    function: MakeFunction, capsys: pytest.CaptureFixture[str]
) -> None:
    service = function()
    pay(service, None)
    assert metrics(capsys) == {"UnauthorizedRequests": [1.0]}
    pay(service, KEY)
    assert CLIENT not in capsys.readouterr().out


def test_without_keys_access_is_open_and_reported_once(
    function: MakeFunction, capsys: pytest.CaptureFixture[str]
) -> None:
    service = function(CLIENT_KEY_HASHES="{}")

    assert metrics(capsys) == {"UnauthenticatedAccessEnabled": [1.0]}
    assert pay(service, None).status == 201
    assert pay(service, "anything").status == 200
    warning, *answered = service.log_lines()
    assert (warning["level"], len(answered)) == ("WARNING", 2)
    assert warning["event"] == "unauthenticated-access-enabled"
    assert "UnauthenticatedAccessEnabled" not in metrics(capsys)
