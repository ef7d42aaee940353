"""The function put together: one answer per event of either entry point, logged and counted.

It is called several times a second by health checkers, so it has no router and no validation framework in its way: one
path, one method, one query parameter. What a deep check reads is kept by `Control` while its decision lasts.
"""

import json
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from common.control.observe import Control, Look
from common.http_events import add_header, door_of, plain_headers, plain_path, query_value
from common.problem_details import ANSWER_HEADERS, MEDIA_TYPE, FieldError, Problem
from common.telemetry import (
    CORRELATION_HEADER,
    REGION_HEADER,
    LambdaHandler,
    correlation_id,
    error_places,
    flush,
    make_metrics,
)

from . import logic
from .settings import Settings

SERVICE = "health"
PATH = "/health"
LOOK_DECISIONS = 2.5
"""How old a look may be, in durations of a decision: 5 s with the defaults, half of a health check's interval. A
decision to post must be younger, as it can be wrong in a way that costs money; health only moves traffic a little
later."""
METHOD = "GET"


@dataclass(frozen=True, kw_only=True)
class _Answer:
    status: HTTPStatus
    body: str
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    logged: dict[str, Any] = field(default_factory=dict)  # added to the line that is logged


class Application:
    """Answers events of API Gateway and of the load balancer. Made once per process; making it calls nothing."""

    answer: LambdaHandler  # raises UnknownEventError

    def __init__(self, settings: Settings, control: Control, logger: Logger) -> None:
        self._settings = settings
        self._control = control
        self._logger = logger
        self._metrics = make_metrics(SERVICE, settings.metrics_namespace)
        self.answer = logger.inject_lambda_context(self._answer, clear_state=True, log_event=False)

    def _answer(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        started = time.perf_counter()
        door, path, headers = door_of(event), plain_path(event), plain_headers(event)
        request_id = event["requestContext"].get("requestId") or headers.get("x-amzn-trace-id")
        correlation = correlation_id(headers, request_id, context.aws_request_id)
        self._logger.set_correlation_id(correlation)
        answer = self._route(event, path)
        self._logger.info(
            "health check answered",
            event="health-answered",
            method=event["httpMethod"],
            route=path if path == PATH else "unknown",  # any other path may hold anything
            status=answer.status.value,
            milliseconds=round((time.perf_counter() - started) * 1000, 2),
            door=door.value,
            **answer.logged,
        )
        flush(self._metrics)
        response: dict[str, Any] = {"statusCode": answer.status.value, "body": answer.body, "isBase64Encoded": False}
        if event.get("multiValueHeaders"):
            response["multiValueHeaders"] = {}
        given = {CORRELATION_HEADER: correlation, REGION_HEADER: self._settings.region}
        for name, value in {"Content-Type": answer.media_type, **ANSWER_HEADERS, **answer.headers, **given}.items():
            add_header(response, name, value)
        return response

    def _route(self, event: dict[str, Any], path: str) -> _Answer:
        """405 for another method, 404 for another path; neither is routed here by a region's entry points."""
        if path != PATH:
            return _problem(HTTPStatus.NOT_FOUND, "unknown-path", "there is nothing at this path")
        if event["httpMethod"].upper() != METHOD:
            detail = f"this path answers {METHOD} only"
            return _problem(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", detail, headers={"Allow": METHOD})
        depth = query_value(event, "depth")
        if depth not in (None, "deep", "shallow"):
            return self._refuse_depth()
        try:
            return self._report(logic.shallow_health() if depth == "shallow" else logic.health(self._look()))
        except Exception as error:  # noqa: BLE001 - whatever it is, a health checker gets an answer that counts as a failure
            return self._unexpected(error)

    def _look(self) -> Look:
        return self._control.look(within=LOOK_DECISIONS * self._settings.times.decision)

    def _report(self, found: logic.Health) -> _Answer:
        """200 when the region may be sent traffic, else 503."""
        body = {
            "status": found.status.value,
            **({"reason": found.reason.value, "detail": found.reason.explanation} if found.reason else {}),
            "region": self._settings.region,
            "place": self._settings.place,
            "version": self._settings.service_version,
            "checks": found.checks,
        }
        return _Answer(
            status=HTTPStatus.OK if found.fit else HTTPStatus.SERVICE_UNAVAILABLE,
            body=json.dumps(body, separators=(",", ":")),
            logged={} if found.fit else {"health": found.status.value, "checks": found.checks},
        )

    def _refuse_depth(self) -> _Answer:
        error = FieldError(field="depth", reason="must be deep or shallow")
        self._count("InvalidRequests")
        return _problem(
            HTTPStatus.BAD_REQUEST,
            "invalid-request",
            f"{error.field} {error.reason}",
            errors=[error],
            logged={"refused": [error.field]},
        )

    def _unexpected(self, error: Exception) -> _Answer:
        """500, so that a health checker counts a failure; the log names the error and its place."""
        self._logger.error(
            "unexpected error", event="unexpected-error", error=type(error).__name__, places=error_places(error)
        )
        self._count("UnexpectedErrors")
        detail = "something went wrong here; send the same request again"
        return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected", detail)

    def _count(self, metric: str) -> None:
        self._metrics.add_metric(name=metric, unit=MetricUnit.Count, value=1)


def _problem(
    status: HTTPStatus,
    kind: str,
    detail: str,
    *,
    errors: list[FieldError] | None = None,
    headers: dict[str, str] | None = None,
    logged: dict[str, Any] | None = None,
) -> _Answer:
    body = Problem.of(SERVICE, kind, status, detail, errors).model_dump_json(exclude_none=True)
    return _Answer(status=status, body=body, media_type=MEDIA_TYPE, headers=headers or {}, logged=logged or {})
