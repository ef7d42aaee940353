"""Verification of a recovery: a synthetic payment end to end.

The payment is accepted by this region, stored in its journal, and posted to the writer's database. The payments
function is invoked directly, with an event like API Gateway's, because this function holds no client key; that the
endpoints in front of it work is checked by their health.
"""

import json
import secrets
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from common.health_endpoints import OK
from common.http_messages import VERIFICATION_STAGE
from common.payment_record import SYNTHETIC

from .context import RecoveryContext, service_errors
from .database import run_sql
from .errors import PaymentNotPosted, PaymentRejected
from .models import VerifyInput, VerifyOutput
from .preflight import probe_endpoints

_POLL_SECONDS = 0.5


def new_key() -> str:
    """The random part of a synthetic payment's id: no client can take the id beforehand."""
    return secrets.token_hex(16)


def verify_payment(request: VerifyInput, ctx: RecoveryContext) -> VerifyOutput:
    """Send a synthetic payment and wait for its row. With the same `key` the same payment is sent again; without one, a
    new one.

    Raises PaymentRejected, PaymentNotPosted, ServiceUnavailable and EndpointsNotFound.
    """
    endpoints = probe_endpoints(ctx, ctx.region)
    if OK not in endpoints.values():
        reported = ", ".join(f"{endpoint} reports {health}" for endpoint, health in sorted(endpoints.items()))
        raise PaymentRejected(f"no endpoint of {ctx.region} is healthy: {reported}")
    payment_id = f"{SYNTHETIC}{request.key or new_key()}"
    began = ctx.pace.clock()
    accepted = _pay(payment_id, request.execution, ctx)
    _wait_for_row(payment_id, request.writer_region, began, ctx)
    return VerifyOutput(
        payment_id=payment_id,
        durability=accepted["durability"],
        endpoints=endpoints,
        posted_after_seconds=round(ctx.pace.clock() - began, 3),
        at=ctx.now(),
    )


def _pay(payment_id: str, execution: str, ctx: RecoveryContext) -> dict[str, Any]:
    payment = {
        "id": payment_id,
        "amount": "0.01",
        "currency": "EUR",
        "debtor": "SYNTHETIC-DEBTOR",
        "creditor": "SYNTHETIC-CREDITOR",
        "reference": f"verification of {execution}"[:140],
    }
    with service_errors("Lambda"):
        invoked = ctx.own_client("lambda").invoke(
            FunctionName=ctx.settings.payments_function, Payload=json.dumps(_event(payment)).encode()
        )
        response = json.load(invoked["Payload"])
    if "FunctionError" in invoked:
        raise PaymentRejected(f"the payments function failed: {response.get('errorType')}")
    if response["statusCode"] not in (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED):
        raise PaymentRejected(f"the payments function returned status {response['statusCode']}")
    accepted: dict[str, Any] = json.loads(response["body"])
    return accepted


def _event(payment: dict[str, str]) -> dict[str, Any]:
    """A proxy event like API Gateway's [APIGW-7]."""
    headers = {"Content-Type": "application/json"}
    return {
        "resource": "/payments",
        "path": "/payments",
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"stage": VERIFICATION_STAGE, "path": "/payments", "identity": {}},
        "body": json.dumps(payment),
        "isBase64Encoded": False,
    }


def _wait_for_row(payment_id: str, writer_region: str, began: float, ctx: RecoveryContext) -> None:
    while True:
        try:
            rows = run_sql(ctx, writer_region, "SELECT payment_id FROM ledger WHERE payment_id = :id", id=payment_id)
            problem = "it has no such row"
        except (ClientError, BotoCoreError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
            rows, problem = [], f"the query failed: {code}"
        if rows:
            return
        if ctx.pace.clock() - began > ctx.settings.verification_seconds:
            raise PaymentNotPosted(f"payment {payment_id} is not in the ledger in {writer_region}: {problem}")
        ctx.pace.sleep(_POLL_SECONDS)
