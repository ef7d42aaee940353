"""Logs, metrics and traces, and the values that are never in them."""

import json
from typing import Any

import pytest
from payments.journal import Journal

from tests.functions.harness import EAST_1, EAST_2, Function, MakeFunction, Tables

CONTENT = {"debtor": "SECRETDEBTOR1", "creditor": "SECRETCREDITOR1", "reference": "secret words", "amount": "4711.08"}


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The metrics written since the last call."""
    found: dict[str, Any] = {}
    for line in capsys.readouterr().out.splitlines():
        written = json.loads(line)
        (described,) = written["_aws"]["CloudWatchMetrics"]
        assert described["Namespace"] == "Payments/test"
        assert described["Dimensions"] == [["service"]]
        assert written["service"] == "payments"
        found |= {metric["Name"]: written[metric["Name"]] for metric in described["Metrics"]}
    return found


def every_outcome(service: Function, tables: Tables) -> None:
    service.pay(**CONTENT)
    service.pay(**CONTENT)
    service.pay(**{**CONTENT, "amount": "4711.09"})
    service.pay(**{**CONTENT, "id": "secret", "SECRETFIELD": "secret"})
    service.ask("POST", "/payments", json.dumps(CONTENT)[:-5])
    service.ask("GET", "/payments/order-0001")
    service.ask("GET", "/payments/secret!")
    service.ask("GET", "/secret")
    for silent in (EAST_1, EAST_2):
        tables.silent = {silent}
        service.pay(**CONTENT, id=f"order-{silent}")


def test_no_content_of_a_payment_is_logged(function: MakeFunction, tables: Tables) -> None:
    service = function()

    every_outcome(service, tables)

    log = service.log.getvalue()
    assert [line["status"] for line in service.log_lines()] == [201, 200, 409, 400, 400, 200, 404, 404, 503, 202]
    assert "secret" not in log.lower()
    assert "4711" not in log


def test_an_unexpected_error_is_answered_and_logged_without_its_message(
    function: MakeFunction, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service = function()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr(Journal, "add", fail)
    answer = service.pay(**CONTENT)

    assert answer.status == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "secret" not in str(answer.body) + service.log.getvalue()
    error = next(line for line in service.log_lines() if line["level"] == "ERROR")
    assert error["error"] == "RuntimeError"
    assert any(place.endswith(" accept_payment") for place in error["places"])
    assert metrics(capsys) == {"UnexpectedErrors": [1.0]}


def test_a_malformed_item_in_the_journal_is_no_leak(function: MakeFunction, tables: Tables) -> None:
    service = function()
    tables.put(EAST_1, {"pk": {"S": "payment#order-0001"}, "kind": {"S": "payment"}, "amount": {"S": "secret"}})

    answer = service.ask("GET", "/payments/order-0001")

    assert answer.status == 500
    assert "secret" not in service.log.getvalue()


def test_every_answer_leaves_a_line_about_itself_alone(function: MakeFunction) -> None:
    service = function()
    service.pay()
    service.ask("GET", "/nowhere")

    paid, missing = service.log_lines()
    expected = {"method": "POST", "route": "/payments", "status": 201, "entry_point": "load-balancer"}
    assert expected.items() <= paid.items()
    assert paid["payment_id"] == "order-0001"
    assert paid["milliseconds"] > 0
    assert {"method": "GET", "route": "unknown", "status": 404}.items() <= missing.items()
    assert "payment_id" not in missing, "a line has fields of an earlier request"


def test_each_outcome_is_counted(function: MakeFunction, tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    service = function()
    service.pay()
    assert metrics(capsys) == {"PaymentsAccepted": [1.0]}
    service.pay()
    assert metrics(capsys) == {"PaymentsRepeated": [1.0]}
    service.pay(amount="1.00")
    assert metrics(capsys) == {"PaymentsConflicting": [1.0]}
    service.pay(id=None)
    assert metrics(capsys) == {"InvalidRequests": [1.0]}
    tables.silent = {EAST_2}
    service.pay(id="order-0002")
    assert metrics(capsys) == {"PaymentsOneRegion": [1.0], "PaymentsAccepted": [1.0]}
    tables.silent = {EAST_1}
    service.pay(id="order-0003")
    assert metrics(capsys) == {"JournalUnavailable": [1.0]}
    tables.silent = set()
    service.ask("GET", "/payments/order-0001")
    assert metrics(capsys) == {}


def test_regions_that_disagree_are_counted(
    function: MakeFunction, tables: Tables, capsys: pytest.CaptureFixture[str]
) -> None:
    primary, secondary = function(EAST_1), function(EAST_2)
    tables.silent = {EAST_1}
    secondary.pay(amount="1.00")
    tables.silent = {EAST_2}
    primary.pay(amount="2.00")
    tables.silent = set()
    metrics(capsys)

    assert primary.pay(amount="2.00").status == 409
    assert metrics(capsys) == {"PaymentsConflicting": [1.0], "ConflictingPaymentIds": [1.0]}
