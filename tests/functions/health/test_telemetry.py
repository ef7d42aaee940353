"""Logs and metrics of the health function."""

import json
from typing import Any

import pytest
from health import logic

from tests.functions.harness import EAST_1, MakeFunction, Tables


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The metrics written since the last call."""
    found: dict[str, Any] = {}
    for line in capsys.readouterr().out.splitlines():
        written = json.loads(line)
        (described,) = written["_aws"]["CloudWatchMetrics"]
        assert described["Dimensions"] == [["service"]]
        assert written["service"] == "health"
        found |= {metric["Name"]: written[metric["Name"]] for metric in described["Metrics"]}
    return found


def test_every_answer_leaves_a_line_about_itself_alone(function: MakeFunction, tables: Tables) -> None:
    service = function(CONTROL_DECISION_SECONDS="0.000001")
    tables.silent = {EAST_1}
    service.ask("GET", "/health")
    tables.silent = set()
    service.ask("GET", "/health")

    unfit, fit = service.log_lines()
    asked = {
        "message": "health check answered",
        "event": "health-answered",
        "method": "GET",
        "route": "/health",
        "entry_point": "load-balancer",
    }
    assert {**asked, "status": 503, "health": "unavailable"}.items() <= unfit.items()
    assert unfit["checks"] == {"journal": "ConnectTimeoutError"}
    assert {**asked, "status": 200}.items() <= fit.items()
    assert not {"health", "checks"} & fit.keys(), "a line has fields of an earlier request"
    assert fit["milliseconds"] > 0


def test_the_event_is_never_logged(function: MakeFunction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")
    service = function()

    service.ask("GET", "/health", key="SECRET-KEY", query={"depth": "SECRET-DEPTH"})

    assert "SECRET" not in service.log.getvalue()


def test_a_refused_request_is_counted_and_an_answered_one_is_not(
    function: MakeFunction, capsys: pytest.CaptureFixture[str]
) -> None:
    service = function()
    service.ask("GET", "/health")
    assert metrics(capsys) == {}
    service.ask("GET", "/health", query={"depth": "bottomless"})
    assert metrics(capsys) == {"InvalidRequests": [1.0]}


def test_an_unexpected_error_is_an_answer_that_counts_as_a_failure(
    function: MakeFunction, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service = function()

    def fail(*_: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr(logic, "health", fail)
    answer = service.ask("GET", "/health")

    assert answer.status == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "secret" not in str(answer.body) + service.log.getvalue()
    error = next(line for line in service.log_lines() if line["level"] == "ERROR")
    assert error["error"] == "RuntimeError"
    assert any(place.endswith(" fail") for place in error["places"])
    assert metrics(capsys) == {"UnexpectedErrors": [1.0]}
