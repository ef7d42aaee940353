"""The health application: one logged response per event of either entry point.

Health checkers call it several times a second, so it uses no router and no validation framework: one path, one method,
one query parameter. `ControlObserver` caches what a deep check reads.
"""

import json
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from common.control.observe import ControlObserver, Observation
from common.http_messages import (
    PROBLEM_MEDIA_TYPE,
    RESPONSE_HEADERS,
    FieldError,
    Problem,
    add_header,
    entry_point,
    plain_headers,
    plain_path,
    query_value,
)
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
ROUTE_53_CHECKERS = ("Amazon-Route53-Health-Check-Service", "Amazon Route 53 Health Check Service")
"""The prefix of the user agent of Route 53's health checkers [R53-12]."""
METHOD = "GET"
MAX_AGE_DECISIONS = 2.5
"""Maximum age of an observation, in durations of a decision: 5 s with the defaults, half a health check's interval. A
decision to post must be younger, because a wrong one costs money; a late health answer only delays moving traffic."""


@dataclass(frozen=True, kw_only=True)
class _Response:
    status: HTTPStatus
    body: str
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    logged: dict[str, Any] = field(default_factory=dict)  # added to the log line


class Application:
    """Answers events of API Gateway and of the load balancer. Created once per process; creating it makes no call."""

    answer: LambdaHandler  # raises UnknownEventError

    def __init__(self, settings: Settings, control: ControlObserver, logger: Logger) -> None:
        self._settings = settings
        self._control = control
        self._logger = logger
        self._metrics = make_metrics(SERVICE, settings.metrics_namespace)
        self.answer = logger.inject_lambda_context(self._answer, clear_state=True, log_event=False)

    def _answer(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        started = time.perf_counter()
        sender, path, headers = entry_point(event), plain_path(event), plain_headers(event)
        request_id = event["requestContext"].get("requestId") or headers.get("x-amzn-trace-id")
        correlation = correlation_id(headers, request_id, context.aws_request_id)
        self._logger.set_correlation_id(correlation)
        answer = self._route(event, path)
        self._logger.info(
            "health check answered",
            event="health-answered",
            method=event["httpMethod"],
            route=path if path == PATH else "unknown",  # another path may contain anything
            status=answer.status.value,
            milliseconds=round((time.perf_counter() - started) * 1000, 2),
            entry_point=sender.value,
            **answer.logged,
        )
        flush(self._metrics)
        response: dict[str, Any] = {"statusCode": answer.status.value, "body": answer.body, "isBase64Encoded": False}
        if event.get("multiValueHeaders"):
            response["multiValueHeaders"] = {}
        own = {CORRELATION_HEADER: correlation, REGION_HEADER: self._settings.region}
        for name, value in {"Content-Type": answer.media_type, **RESPONSE_HEADERS, **answer.headers, **own}.items():
            add_header(response, name, value)
        return response

    def _route(self, event: dict[str, Any], path: str) -> _Response:
        """405 for another method, 404 for another path; a region's entry points route neither here."""
        if path != PATH:
            return _problem(HTTPStatus.NOT_FOUND, "unknown-path", "there is nothing at this path")
        if event["httpMethod"].upper() != METHOD:
            detail = f"this path answers {METHOD} only"
            return _problem(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", detail, headers={"Allow": METHOD})
        depth = query_value(event, "depth")
        if depth not in (None, "deep", "shallow"):
            return self._reject_depth()
        try:
            return self._report(logic.shallow_health() if depth == "shallow" else logic.health(self._observe(event)))
        except Exception as error:  # noqa: BLE001 - after any error a health checker gets a response that counts as a failure
            return self._unexpected(error)

    def _observe(self, event: dict[str, Any]) -> Observation:
        by_checker = plain_headers(event).get("user-agent", "").startswith(ROUTE_53_CHECKERS)
        max_age = MAX_AGE_DECISIONS * self._settings.times.decision
        return self._control.observe(max_age_seconds=max_age, by_checker=by_checker)

    def _report(self, health: logic.Health) -> _Response:
        """200 if the region may serve traffic, else 503."""
        body = {
            "status": health.status.value,
            **({"reason": health.reason.value, "detail": health.reason.explanation} if health.reason else {}),
            "region": self._settings.region,
            "place": self._settings.place,
            "version": self._settings.service_version,
            "checks": health.checks,
        }
        return _Response(
            status=HTTPStatus.OK if health.fit else HTTPStatus.SERVICE_UNAVAILABLE,
            body=json.dumps(body, separators=(",", ":")),
            logged={} if health.fit else {"health": health.status.value, "checks": health.checks},
        )

    def _reject_depth(self) -> _Response:
        error = FieldError(field="depth", reason="must be deep or shallow")
        self._count("InvalidRequests")
        return _problem(
            HTTPStatus.BAD_REQUEST,
            "invalid-request",
            f"{error.field} {error.reason}",
            errors=[error],
            logged={"invalid_fields": [error.field]},
        )

    def _unexpected(self, error: Exception) -> _Response:
        """500, so that a health checker counts a failure; the log has the error's name and traceback."""
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
) -> _Response:
    body = Problem.of(SERVICE, kind, status, detail, errors).model_dump_json(exclude_none=True)
    return _Response(
        status=status, body=body, media_type=PROBLEM_MEDIA_TYPE, headers=headers or {}, logged=logged or {}
    )
