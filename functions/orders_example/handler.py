"""Lambda handler `orders_example.handler.handler`, behind the load balancer and behind API Gateway."""

import functools
import hashlib
import hmac
import json
import os
from base64 import b64decode
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from common.aws_clients import DynamoDbClients
from common.http_messages import is_verification
from common.table_replica import Replica
from common.telemetry import make_logger, traced

from .orders import Order, OrderConflict, OrderUnavailable, SyntheticPayment, store
from .settings import Settings

SERVICE = "orders"
_ROUTES: dict[str, type[Order | SyntheticPayment]] = {"/orders": Order, "/payments": SyntheticPayment}
_log = make_logger(SERVICE)


@functools.cache
def _cached() -> tuple[Settings, list[Replica]]:
    settings, clients = Settings.read(os.environ), DynamoDbClients()
    limits = {settings.region: settings.local_timeout_ms, settings.peer_region: settings.peer_timeout_ms}
    replicas = [
        Replica(
            clients.dynamodb(region, timeout_seconds=milliseconds / 1000), region=region, table=settings.journal_table
        )
        for region, milliseconds in limits.items()
    ]
    replicas.sort(key=lambda replica: replica.region != settings.journal_arbiter_region)
    return settings, replicas


def answer(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    path = "/" + event["path"].rstrip("/").rpartition("/")[2]
    if event["httpMethod"] != "POST" or path not in _ROUTES or (path == "/payments" and not is_verification(event)):
        status, body = HTTPStatus.NOT_FOUND, {"detail": "there is nothing at this path"}
    elif not _is_authorized(event):
        status, body = HTTPStatus.UNAUTHORIZED, {"detail": "a client's key is needed in the header x-api-key"}
    else:
        status, body = _accept(_ROUTES[path], event)
    # Neither the content nor the sender.
    _log.info(
        "request answered", event="request-answered", path=path if path in _ROUTES else "unknown", status=status.value
    )
    return _http(event, status, body)


def _accept(model: type[Order | SyntheticPayment], event: dict[str, Any]) -> tuple[HTTPStatus, dict[str, Any]]:
    settings, replicas = _cached()
    body = event.get("body") or ""
    try:
        order = model.model_validate_json(b64decode(body) if event.get("isBase64Encoded") else body)
        entry, missing = store(order, replicas, region=settings.region, both=settings.durability == "both")
    except ValidationError as error:
        fields = sorted({".".join(map(str, each["loc"])) or "body" for each in error.errors(include_input=False)})
        return HTTPStatus.BAD_REQUEST, {"detail": f"invalid: {', '.join(fields)}"}
    except OrderConflict as conflict:
        return HTTPStatus.CONFLICT, {"detail": str(conflict)}
    except OrderUnavailable as problem:
        _log.warning("order not stored", event="order-not-stored", reason=str(problem))
        return HTTPStatus.SERVICE_UNAVAILABLE, {"detail": "send the same order again, with the same id"}
    stored = {"id": entry.payment_id, "accepted_in": entry.accepted_in, "accepted_at": entry.accepted_at}
    durability = "one-region" if missing else "both-regions"
    return HTTPStatus.ACCEPTED if missing else HTTPStatus.CREATED, {**stored, "durability": durability}


def _is_authorized(event: dict[str, Any]) -> bool:
    """API Gateway has authorized its callers; behind the load balancer a client sends its key (decision 0004)."""
    hashes = _cached()[0].client_key_hashes.values()
    if "elb" not in event["requestContext"] or not hashes:
        return True
    several = {name.lower(): values[-1] for name, values in (event.get("multiValueHeaders") or {}).items()}
    single = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    sent = hashlib.sha256({**single, **several}.get("x-api-key", "").encode(errors="surrogatepass")).hexdigest()
    # Compares with all of them, so that the duration reveals nothing.
    return sum(hmac.compare_digest(sent, known) for known in hashes) > 0


def _http(event: dict[str, Any], status: HTTPStatus, body: dict[str, Any]) -> dict[str, Any]:
    """The response with single-value or multi-value headers, whichever the entry point expects."""
    headers = {
        "Content-Type": "application/json",
        "X-Served-By-Region": _cached()[0].region,
        "Cache-Control": "no-store",
    }
    several = event.get("multiValueHeaders") is not None
    form = (
        {"multiValueHeaders": {name: [value] for name, value in headers.items()}} if several else {"headers": headers}
    )
    return {"statusCode": status.value, "body": json.dumps(body), "isBase64Encoded": False, **form}


handler = traced(answer, service=SERVICE)
