"""Responses to health checkers, through either entry point."""

import json
from typing import Any

import pytest

from common.http_messages import UnknownEventError
from tests.functions.harness import EAST_1, EAST_2, EVENTS, Function, LambdaContext, MakeFunction, through_api_gateway


@pytest.fixture(params=sorted(EVENTS))
def service(request: pytest.FixtureRequest, function: MakeFunction) -> Function:
    return function(entry_point=request.param)


def test_an_answer_names_its_region_and_is_in_no_cache(function: MakeFunction) -> None:
    answers = {region: function(region).ask("GET", "/health") for region in (EAST_1, EAST_2)}

    assert {region: answer.headers["X-Served-By-Region"] for region, answer in answers.items()} == {
        EAST_1: EAST_1,
        EAST_2: EAST_2,
    }
    assert {answer.headers["Content-Type"] for answer in answers.values()} == {"application/json"}
    assert {answer.headers["Cache-Control"] for answer in answers.values()} == {"no-store"}
    assert {answer.headers["X-Content-Type-Options"] for answer in answers.values()} == {"nosniff"}


@pytest.mark.parametrize("key", [None, "wrong"])
def test_a_health_checker_needs_no_key(service: Function, key: str | None) -> None:
    headers = {"x-api-key": key} if key else {}

    assert service.ask("GET", "/health", headers=headers).status == 200


def test_a_slash_at_the_end_changes_nothing(service: Function) -> None:
    assert service.ask("GET", "/health/").status == 200


@pytest.mark.parametrize("prefix", ["/live", "/v1"])
def test_a_stage_or_base_path_before_the_path_changes_nothing(function: MakeFunction, prefix: str) -> None:
    event = {**through_api_gateway("GET", "/health", None), "path": f"{prefix}/health"}

    assert function().answer(event, LambdaContext())["statusCode"] == 200


@pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE"])
def test_another_method_is_refused_with_the_one_there_is(service: Function, method: str) -> None:
    refused = service.ask(method, "/health")

    assert (refused.status, refused.headers["Allow"]) == (405, "GET")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["X-Served-By-Region"] == EAST_1
    assert refused.body == {
        "type": "urn:problem-type:health:method-not-allowed",
        "title": "Method not allowed",
        "status": 405,
        "detail": "this path answers GET only",
    }


@pytest.mark.parametrize("path", ["/", "/payments", "/health/deep", '/hea"lth'])
def test_an_unknown_path_is_not_found(service: Function, path: str) -> None:
    missing = service.ask("GET", path)

    assert missing.status == 404
    assert missing.body["type"] == "urn:problem-type:health:unknown-path"
    assert missing.headers["Content-Type"] == "application/problem+json"
    assert service.log_lines()[-1]["route"] == "unknown"


def test_an_unknown_depth_is_refused(service: Function) -> None:
    answer = service.ask("GET", "/health", query={"depth": "bottomless"})

    assert answer.status == 400
    assert answer.body["type"] == "urn:problem-type:health:invalid-request"
    assert answer.body["errors"] == [{"field": "depth", "reason": "must be deep or shallow"}]
    assert service.log_lines()[-1]["invalid_fields"] == ["depth"]


def test_a_load_balancer_with_multi_value_headers_is_answered_in_kind(function: MakeFunction) -> None:
    service = function()
    event = service.event("GET", "/health", None)
    event["multiValueHeaders"] = {name: [value] for name, value in event.pop("headers").items()}
    event["multiValueQueryStringParameters"] = {"depth": ["shallow"]}
    del event["queryStringParameters"]

    raw = service.answer(event, LambdaContext())

    assert raw["statusCode"] == 200
    assert raw["multiValueHeaders"]["X-Correlation-Id"] == ["Root=1-abc"]
    assert "headers" not in raw, "the load balancer reads one form only"
    assert json.loads(raw["body"])["checks"] == {}, "the depth was not understood"


def test_a_load_balancer_with_single_headers_is_answered_in_kind(function: MakeFunction) -> None:
    service = function()

    raw = service.answer(service.event("GET", "/health", None), LambdaContext())

    assert raw["headers"]["X-Correlation-Id"] == "Root=1-abc"
    assert "multiValueHeaders" not in raw


def test_of_a_repeated_depth_the_last_counts(function: MakeFunction) -> None:
    event = through_api_gateway("GET", "/health", None, query={"depth": "shallow"})
    event["multiValueQueryStringParameters"] = {"depth": ["deep", "shallow"]}

    assert json.loads(function().answer(event, LambdaContext())["body"])["checks"] == {}


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

    answer = service.ask("GET", "/health", headers=headers)

    assert answer.headers["X-Correlation-Id"] == correlation
    assert service.log_lines()[-1]["correlation_id"] == correlation


@pytest.mark.parametrize("event", [{}, {"version": "2.0", "requestContext": {"http": {}}}, {"Records": []}])
def test_an_event_of_no_entry_point_is_an_error(function: MakeFunction, event: dict[str, Any]) -> None:
    with pytest.raises(UnknownEventError, match="neither an API Gateway"):
        function().answer(event, LambdaContext())
