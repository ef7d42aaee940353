"""Lambda's entry: `orders_example.handler.handler`, behind the load balancer and behind API Gateway."""

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

from common.aws_clients import Clients
from common.table_replica import Replica
from common.telemetry import make_logger, traced

from .orders import NotKept, Order, OtherContent, Proof, keep
from .settings import Settings

SERVICE = "orders"
_TAKES: dict[str, type[Order | Proof]] = {"/orders": Order, "/payments": Proof}
_log = make_logger(SERVICE)


@functools.cache
def _made() -> tuple[Settings, list[Replica]]:
    settings, clients = Settings.read(os.environ), Clients()
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
    if event["httpMethod"] != "POST" or path not in _TAKES:
        status, body = HTTPStatus.NOT_FOUND, {"detail": "there is nothing at this path"}
    elif not _is_known(event):
        status, body = HTTPStatus.UNAUTHORIZED, {"detail": "a client's key is needed in the header x-api-key"}
    else:
        status, body = _take(_TAKES[path], event)
    # Neither what was sent nor who sent it.
    _log.info("answered", path=path if path in _TAKES else "unknown", status=status.value)
    return _http(event, status, body)


def _take(model: type[Order | Proof], event: dict[str, Any]) -> tuple[HTTPStatus, dict[str, Any]]:
    settings, replicas = _made()
    body = event.get("body") or ""
    try:
        given = model.model_validate_json(b64decode(body) if event.get("isBase64Encoded") else body)
        entry, silent = keep(given, replicas, region=settings.region, both=settings.durability == "both")
    except ValidationError as error:
        fields = sorted({".".join(map(str, each["loc"])) or "body" for each in error.errors(include_input=False)})
        return HTTPStatus.BAD_REQUEST, {"detail": f"wrong: {', '.join(fields)}"}
    except OtherContent as conflict:
        return HTTPStatus.CONFLICT, {"detail": str(conflict)}
    except NotKept as problem:
        _log.warning("not kept", why=str(problem))
        return HTTPStatus.SERVICE_UNAVAILABLE, {"detail": "send the same order again, with the same id"}
    kept = {"id": entry.payment_id, "accepted_in": entry.accepted_in, "accepted_at": entry.accepted_at}
    durability = "one-region" if silent else "both-regions"
    return HTTPStatus.ACCEPTED if silent else HTTPStatus.CREATED, {**kept, "durability": durability}


def _is_known(event: dict[str, Any]) -> bool:
    """Behind API Gateway every caller is known; behind the load balancer a client shows its key (decision 0004)."""
    hashes = _made()[0].client_key_hashes.values()
    if "elb" not in event["requestContext"] or not hashes:
        return True
    several = {name.lower(): values[-1] for name, values in (event.get("multiValueHeaders") or {}).items()}
    single = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    shown = hashlib.sha256({**single, **several}.get("x-api-key", "").encode(errors="surrogatepass")).hexdigest()
    # All of them, so that the time it takes tells nothing of any.
    return sum(hmac.compare_digest(shown, known) for known in hashes) > 0


def _http(event: dict[str, Any], status: HTTPStatus, body: dict[str, Any]) -> dict[str, Any]:
    """In the form that the door expects: one value a header, or several."""
    headers = {"Content-Type": "application/json", "X-Served-By-Region": _made()[0].region, "Cache-Control": "no-store"}
    several = event.get("multiValueHeaders") is not None
    told = (
        {"multiValueHeaders": {name: [value] for name, value in headers.items()}} if several else {"headers": headers}
    )
    return {"statusCode": status.value, "body": json.dumps(body), "isBase64Encoded": False, **told}


handler = traced(answer, service=SERVICE)
