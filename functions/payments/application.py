"""The payments application: settings, clients, journal, routes, and one logged and counted response per event.

Callers behind the load balancer are authorized here, by a client key; API Gateway has authorized its callers before.
The shape of the event shows which entry point sent it. No client can choose it, because only the load balancer and API
Gateway may invoke the function.
"""

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

from common.aws_clients import DynamoDbClients
from common.circuit_breaker import Breaker
from common.http_messages import EntryPoint, add_header, entry_point, plain_headers, plain_path
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

SERVICE = "payments"
KEY_HEADER = "x-api-key"
# A Lambda process handles one event at a time, and Powertools relies on it: the current event is a class attribute.
# With two threads, a client could get the response to another client's payment.
_one_at_a_time = threading.Lock()


class ClientKeys:
    """Clients by the SHA-256 of their keys, in hex. The keys themselves are not stored."""

    def __init__(self, hashes: Mapping[str, str]) -> None:
        self._hashes = hashes

    @property
    def required(self) -> bool:
        """Whether requests need a key: as soon as any client has one."""
        return bool(self._hashes)

    def client_of(self, key: str | None) -> str | None:
        """The client whose key this is, None if there is none. Compares with all keys, so that the duration reveals
        nothing."""
        if not key:
            return None
        # JSON can contain half a surrogate pair, which strict UTF-8 cannot encode.
        sent = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
        matching = [client for client, known in self._hashes.items() if hmac.compare_digest(sent, known)]
        return matching[0] if matching else None


class Application:
    """Answers events of both entry points. Created once per process; creating it makes no call."""

    answer: LambdaHandler  # raises UnknownEventError

    def __init__(self, settings: Settings, logger: Logger) -> None:
        self._logger = logger
        self._region = settings.region
        self._metrics = make_metrics(SERVICE, settings.metrics_namespace)
        clients = DynamoDbClients()
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
        require_both = settings.durability is DurabilityRule.BOTH
        breaker = Breaker(
            failures_to_open=settings.peer_failures_to_open,
            trial_seconds=settings.peer_trial_seconds,
            # Where each payment needs the peer, a longer pause would only delay its return.
            longest_trial_seconds=None if require_both else settings.peer_longest_trial_seconds,
        )
        journal = Journal(
            local=local,
            peer=peer,
            arbiter_region=settings.journal_arbiter_region,
            breaker=breaker,
            require_both=require_both,
        )
        routes = Routes(settings=settings, journal=journal, logger=logger, metrics=self._metrics)
        self._client_keys = ClientKeys(settings.client_key_hashes)
        self._resolvers: dict[EntryPoint, ApiGatewayResolver] = {
            EntryPoint.API_GATEWAY: APIGatewayRestResolver(),
            EntryPoint.LOAD_BALANCER: ALBResolver(),
        }
        for resolver in self._resolvers.values():
            resolver.include_router(routes.router)
            resolver.not_found(routes.no_route)
            resolver.exception_handler(Exception)(self._unexpected)
        self._unauthorized = ALBResolver()  # has no route, so every request is "not found"
        self._unauthorized.not_found(self._reject_caller)
        # Never log the event, whatever the environment variables: it holds a key.
        answer_one: LambdaHandler = logger.inject_lambda_context(self._answer, clear_state=True, log_event=False)

        def answer(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
            with _one_at_a_time:
                return answer_one(event, context)

        self.answer = answer
        if not self._client_keys.required:
            logger.warning(
                "no client keys are configured: the load balancer accepts payments from anyone",
                event="unauthenticated-access-enabled",
            )
            self._metrics.add_metric(name="UnauthenticatedAccessEnabled", unit=MetricUnit.Count, value=1)
            flush(self._metrics)

    def _answer(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        started = time.perf_counter()
        sender = entry_point(event)
        headers = plain_headers(event)
        request_id = event["requestContext"].get("requestId") or headers.get("x-amzn-trace-id")
        correlation = correlation_id(headers, request_id, context.aws_request_id)
        self._logger.set_correlation_id(correlation)
        plain = {**event, "path": plain_path(event)}
        route = route_of(plain["path"])
        resolver: ApiGatewayResolver = self._resolvers[sender]
        if sender is EntryPoint.LOAD_BALANCER and self._client_keys.required:
            if client := self._client_keys.client_of(headers.get(KEY_HEADER)):
                self._logger.append_keys(client=client)
            else:
                resolver = self._unauthorized
        answer: dict[str, Any] = resolver.resolve(plain, context)
        add_header(answer, CORRELATION_HEADER, correlation)
        add_header(answer, REGION_HEADER, self._region)
        self._logger.info(
            "request answered",
            event="request-answered",
            method=event["httpMethod"],
            route=route or "unknown",  # an unknown path may contain anything
            status=answer["statusCode"],
            milliseconds=round((time.perf_counter() - started) * 1000, 2),
            entry_point=sender.value,
        )
        flush(self._metrics)
        return answer

    def _reject_caller(self, _: Exception) -> Response[str]:
        """401, the same for a missing and for a wrong key."""
        self._metrics.add_metric(name="UnauthorizedRequests", unit=MetricUnit.Count, value=1)
        detail = f"a client's key is needed in the header {KEY_HEADER}"
        return problem(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, headers={"WWW-Authenticate": "ApiKey"})

    def _unexpected(self, error: Exception) -> Response[str]:
        """500. The log has the error's name and traceback, not its message, which may quote a payment."""
        self._logger.error(
            "unexpected error", event="unexpected-error", error=type(error).__name__, places=error_places(error)
        )
        self._metrics.add_metric(name="UnexpectedErrors", unit=MetricUnit.Count, value=1)
        return problem(
            HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected", "something went wrong here; send the same request again"
        )
