"""A synthetic payment, end to end: accepted by this region, in its journal, and posted in the writer's database.

It is sent to the function as API Gateway sends one, since the way in has keys that this function does not hold; that
the doors in front lead there, their health shows.
"""

import hashlib
import json
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from common.health_endpoints import OK
from common.payment_record import payment_key

from .context import Surroundings, silence_named
from .database import find_member, run_sql
from .errors import PaymentRefused, ProofMissing, ReplayFailed
from .models import ProveInput, ProveOutput, Replayed, ReplayInput
from .preflight import look_at_doors

MARK = "synthetic"  # the attribute of a journal item that is no client's
_LOOK_SECONDS = 0.5


def prove(given: ProveInput, around: Surroundings) -> ProveOutput:
    """Raises PaymentRefused, ProofMissing, ServiceSilent and MemberMissing."""
    doors = look_at_doors(around, around.region)
    if OK not in doors.values():
        said = ", ".join(f"{door} says {word}" for door, word in sorted(doors.items()))
        raise PaymentRefused(f"no door of {around.region} leads to it: {said}")
    payment_id = f"synthetic-{hashlib.sha256(given.execution.encode()).hexdigest()[:32]}"
    began = around.pace.clock()
    accepted = _pay(payment_id, given.execution, around)
    _mark(payment_id, around)
    _wait_for_row(payment_id, given.writer_region, began, around)
    return ProveOutput(
        payment_id=payment_id,
        durability=accepted["durability"],
        doors=doors,
        posted_after_seconds=round(around.pace.clock() - began, 3),
        at=around.moment(),
    )


def _pay(payment_id: str, execution: str, around: Surroundings) -> dict[str, Any]:
    payment = {
        "id": payment_id,
        "amount": "0.01",
        "currency": "EUR",
        "debtor": "SYNTHETIC-DEBTOR",
        "creditor": "SYNTHETIC-CREDITOR",
        "reference": f"proof of {execution}"[:140],
    }
    with silence_named("Lambda"):
        answer = around.here("lambda").invoke(
            FunctionName=around.settings.payments_function, Payload=json.dumps(_event(payment)).encode()
        )
        told = json.load(answer["Payload"])
    if "FunctionError" in answer:
        raise PaymentRefused(f"the payments function failed: {told.get('errorType')}")
    if told["statusCode"] not in (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED):
        raise PaymentRefused(f"the payments function answered {told['statusCode']}")
    accepted: dict[str, Any] = json.loads(told["body"])
    return accepted


def _event(payment: dict[str, str]) -> dict[str, Any]:
    """A request as API Gateway hands it over [APIGW-7]."""
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
        "requestContext": {"stage": "recovery", "path": "/payments", "identity": {}},
        "body": json.dumps(payment),
        "isBase64Encoded": False,
    }


def _mark(payment_id: str, around: Surroundings) -> None:
    """Tell everyone who reads the journal that nobody's money moved."""
    item = around.local.read(payment_key(payment_id))
    if item is None:
        raise ProofMissing(f"payment {payment_id} was accepted, but is not in the journal of {around.region}")
    if MARK not in item:
        around.local.exchange({**item, MARK: {"BOOL": True}}, unless_changed={"content_hash": item["content_hash"]})


def _wait_for_row(payment_id: str, writer_region: str, began: float, around: Surroundings) -> None:
    member = find_member(around, writer_region, caller=writer_region)
    while True:
        try:
            rows = run_sql(around, member, "SELECT payment_id FROM ledger WHERE payment_id = :id", id=payment_id)
            missing = "it has no such row"
        except (ClientError, BotoCoreError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
            rows, missing = [], f"it could not be asked: {code}"
        if rows:
            return
        if around.pace.clock() - began > around.settings.proof_seconds:
            raise ProofMissing(f"payment {payment_id} is not in the ledger in {writer_region}: {missing}")
        around.pace.sleep(_LOOK_SECONDS)


# The journal replayed in the writer's region, also when that is not this one: Step Functions calls functions of its
# own region only.


def replay(given: ReplayInput, around: Surroundings) -> Replayed:
    """One answer of the ledger; until it is done, more is to be asked. Raises ReplayFailed and ServiceSilent."""
    settings = around.settings
    function = settings.ledger_function if given.writer_region == around.region else settings.peer_ledger_function
    asked = {"operation": "replay", "since": given.since, "continuation": given.continuation}
    with silence_named(f"Lambda in {given.writer_region}"):
        answer = around.patient_client("lambda", given.writer_region).invoke(
            FunctionName=function, Payload=json.dumps(asked).encode()
        )
        told = json.load(answer["Payload"])
    if "FunctionError" in answer:
        raise ReplayFailed(
            f"the ledger in {given.writer_region} gave up: {told.get('errorType')}: {told.get('errorMessage')}"
        )
    return Replayed.model_validate(told)
