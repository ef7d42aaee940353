"""The function put together: settings, clients, journal, routes, and one answer per event, logged and counted."""

import hashlib
import hmac
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import ALBResolver, ApiGatewayResolver, APIGatewayRestResolver, Response
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from common.aws_clients import Clients
from common.circuit_breaker import Breaker
from common.http_events import Door, add_header, door_of, plain_headers, plain_path
from common.table_replica import Replica
from common.telemetry import (
    CORRELATION_HEADER,
    REGION_HEADER,
    LambdaHandler,
    correlation_id,
    error_places,
    flush,
    make_metrics,
)

from .journal import Journal
from .responses import problem
from .routes import Routes, route_of
from .settings import DurabilityRule, Settings

# Who calls through the load balancer's door. Callers at the other one API Gateway has checked before.
#
# Which door a request came through, its event's shape tells; no client can choose it, since only the load balancer and
# API Gateway may invoke the function.


KEY_HEADER = "x-api-key"


class Callers:
    """Clients by the SHA-256 of their keys, in hex. The keys themselves are never here."""

    def __init__(self, hashes: Mapping[str, str]) -> None:
        self._hashes = hashes

    @property
    def known(self) -> bool:
        """Whether any client has a key; if none has, there is nothing to ask for."""
        return bool(self._hashes)

    def client_of(self, key: str | None) -> str | None:
        """The client whose key this is. Compares with all, so that the time it takes tells nothing of any."""
        if not key:
            return None
        # JSON can carry half a surrogate pair, which strict UTF-8 has no bytes for.
        shown = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
        matching = [client for client, known in self._hashes.items() if hmac.compare_digest(shown, known)]
        return matching[0] if matching else None


SERVICE = "payments"

# Lambda asks a process for one answer at a time, and Powertools relies on it: the current event is a class's attribute.
# Two threads would be answered about each other's payment.
_one_at_a_time = threading.Lock()


class Application:
    """Answers events of both doors. Made once per process; making it calls nothing."""

    answer: LambdaHandler  # raises UnknownEventError

    def __init__(self, settings: Settings, logger: Logger) -> None:
        self._logger = logger
        self._region = settings.region
        self._metrics = make_metrics(SERVICE, settings.metrics_namespace)
        clients = Clients()
        local = Replica(
            clients.dynamodb(settings.region, timeout_seconds=settings.local_timeout_ms / 1000),
            region=settings.region,
            table=settings.journal_table,
        )
        peer = Replica(
            clients.dynamodb(settings.peer_region, timeout_seconds=settings.peer_timeout_ms / 1000),
            region=settings.peer_region,
            table=settings.journal_table,
        )
        journal = Journal(
            local=local,
            peer=peer,
            arbiter_region=settings.journal_arbiter_region,
            breaker=Breaker(failures_to_open=settings.peer_failures_to_open, trial_seconds=settings.peer_trial_seconds),
            require_both=settings.durability is DurabilityRule.BOTH,
        )
        routes = Routes(settings=settings, journal=journal, logger=logger, metrics=self._metrics)
        self._callers = Callers(settings.client_key_hashes)
        self._resolvers: dict[Door, ApiGatewayResolver] = {
            Door.API_GATEWAY: APIGatewayRestResolver(),
            Door.LOAD_BALANCER: ALBResolver(),
        }
        for resolver in self._resolvers.values():
            resolver.include_router(routes.router)
            resolver.not_found(routes.no_route)
            resolver.exception_handler(Exception)(self._unexpected)
        self._refusal = ALBResolver()  # has no route, so it refuses whatever was asked
        self._refusal.not_found(self._unknown_caller)
        # Never the event, whatever the environment says: a key is in it.
        answer_one: LambdaHandler = logger.inject_lambda_context(self._answer, clear_state=True, log_event=False)

        def answer(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
            with _one_at_a_time:
                return answer_one(event, context)

        self.answer = answer
        if not self._callers.known:
            logger.warning(
                "no client keys are configured: the load balancer accepts payments from anyone",
                event="unauthenticated-access-enabled",
            )
            self._metrics.add_metric(name="UnauthenticatedAccessEnabled", unit=MetricUnit.Count, value=1)
            flush(self._metrics)

    def _answer(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        started = time.perf_counter()
        door = door_of(event)
        headers = plain_headers(event)
        doors_own_id = event["requestContext"].get("requestId") or headers.get("x-amzn-trace-id")
        correlation = correlation_id(headers, doors_own_id, context.aws_request_id)
        self._logger.set_correlation_id(correlation)
        plain = {**event, "path": plain_path(event)}
        route = route_of(plain["path"])
        resolver: ApiGatewayResolver = self._resolvers[door]
        if door is Door.LOAD_BALANCER and self._callers.known:
            if client := self._callers.client_of(headers.get(KEY_HEADER)):
                self._logger.append_keys(client=client)
            else:
                resolver = self._refusal
        answer: dict[str, Any] = resolver.resolve(plain, context)
        add_header(answer, CORRELATION_HEADER, correlation)
        add_header(answer, REGION_HEADER, self._region)
        self._logger.info(
            "request answered",
            event="request-answered",
            method=event["httpMethod"],
            route=route or "unknown",  # a path nobody knows may hold anything
            status=answer["statusCode"],
            milliseconds=round((time.perf_counter() - started) * 1000, 2),
            door=door.value,
        )
        flush(self._metrics)
        return answer

    def _unknown_caller(self, _: Exception) -> Response[str]:
        """401, the same for no key and for a wrong one."""
        self._metrics.add_metric(name="UnauthorizedRequests", unit=MetricUnit.Count, value=1)
        detail = f"a client's key is needed in the header {KEY_HEADER}"
        return problem(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, headers={"WWW-Authenticate": "ApiKey"})

    def _unexpected(self, error: Exception) -> Response[str]:
        """500. The log names the error and where it happened, not its message, which may quote a payment."""
        self._logger.error(
            "unexpected error", event="unexpected-error", error=type(error).__name__, places=error_places(error)
        )
        self._metrics.add_metric(name="UnexpectedErrors", unit=MetricUnit.Count, value=1)
        return problem(
            HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected", "something went wrong here; send the same request again"
        )
