"""The HTTP routes: request parsing, the call of the journal, and the response of each outcome."""

import base64
import math
import re
from collections.abc import Callable
from http import HTTPStatus

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from pydantic import ValidationError

from common.clock import utc_now
from common.http_messages import FieldError, is_verification
from common.payment_record import SYNTHETIC, JournalEntry, is_synthetic

from .journal import Durability, Journal, JournalUnavailable, PaymentConflict
from .models import PAYMENT_ID, AcceptedPayment, Payment, field_errors
from .responses import json_response, problem
from .settings import Settings

_METHODS = {"/payments": "POST", "/payments/<payment_id>": "GET"}
_PATHS = {path: re.compile(path.replace("<payment_id>", "[^/]+")) for path in _METHODS}


def route_of(path: str) -> str | None:
    """The route of `path`, for any method; None if there is none."""
    return next((route for route, pattern in _PATHS.items() if pattern.fullmatch(path)), None)


class Routes:
    """The two routes over one journal. Logs hold the payment's id and none of its content."""

    def __init__(self, *, settings: Settings, journal: Journal, logger: Logger, metrics: EphemeralMetrics) -> None:
        self._settings = settings
        self._journal = journal
        self._logger = logger
        self._metrics = metrics
        self._retry_after = {"Retry-After": str(math.ceil(settings.peer_trial_seconds))}
        self.router = Router()  # type: ignore[no-untyped-call]
        handlers: list[Callable[..., Response[str]]] = [self.accept_payment, self.find_payment]
        for (path, method), handler in zip(_METHODS.items(), handlers, strict=True):
            self.router.route(path, method)(handler)

    def accept_payment(self) -> Response[str]:
        """201 if accepted in both regions, 202 in one, 200 if it was accepted before."""
        try:
            payment = Payment.model_validate_json(self._body())
        except _TooLarge:
            limit = self._settings.max_body_bytes
            return problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", f"the body is larger than {limit} bytes"
            )
        except ValidationError as error:
            return self._reject(field_errors(error))
        except ValueError:
            return self._reject([FieldError(field="body", reason="is not UTF-8 text")])

        self._logger.append_keys(payment_id=payment.id)
        if is_synthetic(payment.id) and not is_verification(self.router.current_event.raw_event):
            return self._reject([FieldError(field="id", reason=f"must not begin with {SYNTHETIC}, which is reserved")])
        try:
            entry = JournalEntry.accept(payment.content(), at=utc_now(), region=self._settings.region)
            stored = self._journal.add(entry)
        except PaymentConflict as conflict:
            self._count("PaymentsConflicting")
            if conflict.split:
                self._count("ConflictingPaymentIds")
                self._logger.error("the regions hold different content for one payment id", event="payment-id-conflict")
            detail = f"payment {payment.id} was accepted before with other content; use a new id for another payment"
            return problem(HTTPStatus.CONFLICT, "payment-id-conflict", detail)
        except JournalUnavailable as error:
            return self._journal_unavailable(error)

        self._logger.append_keys(durability=stored.durability.value, repeated=stored.repeated)
        if stored.peer_error:
            self._logger.append_keys(peer_error=stored.peer_error)
            self._count("PaymentsOneRegion")
        self._count("PaymentsRepeated" if stored.repeated else "PaymentsAccepted")
        status = HTTPStatus.CREATED if stored.durability is Durability.BOTH_REGIONS else HTTPStatus.ACCEPTED
        return json_response(
            HTTPStatus.OK if stored.repeated else status,
            AcceptedPayment.of(stored.entry, durability=stored.durability.value),
            # Relative to the request, so that it is right behind API Gateway's stage as well.
            {"Location": f"payments/{stored.entry.payment_id}"},
        )

    def find_payment(self, payment_id: str) -> Response[str]:
        """200 with the payment of the own region's journal, else 404."""
        unknown = problem(HTTPStatus.NOT_FOUND, "unknown-payment", "no payment with this id is known here")
        if not re.fullmatch(PAYMENT_ID, payment_id, re.ASCII):
            return unknown
        self._logger.append_keys(payment_id=payment_id)
        try:
            entry = self._journal.find(payment_id)
        except JournalUnavailable as error:
            return self._journal_unavailable(error)
        return json_response(HTTPStatus.OK, AcceptedPayment.of(entry)) if entry else unknown

    def no_route(self, _: Exception) -> Response[str]:
        """405 for a known path with another method, else 404."""
        event = self.router.current_event
        route = route_of(event.path)
        if route and event.http_method.upper() != (allowed := _METHODS[route]):
            detail = f"this path answers {allowed} only"
            return problem(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", detail, headers={"Allow": allowed})
        return problem(HTTPStatus.NOT_FOUND, "unknown-path", "there is nothing at this path")

    def _body(self) -> str:
        """The body as text. Raises _TooLarge, and ValueError for bytes that are not UTF-8."""
        event = self.router.current_event
        body = event.body or ""
        raw = base64.b64decode(body, validate=True) if event.is_base64_encoded else body.encode()
        if len(raw) > self._settings.max_body_bytes:
            raise _TooLarge
        return raw.decode()

    def _reject(self, errors: list[FieldError]) -> Response[str]:
        known = {*Payment.model_fields, "body"}
        self._logger.append_keys(
            invalid_fields=[error.field if error.field in known else "unknown field" for error in errors]
        )
        self._count("InvalidRequests")
        detail = "; ".join(f"{error.field} {error.reason}" for error in errors)
        return problem(HTTPStatus.BAD_REQUEST, "invalid-request", detail, errors=errors)

    def _journal_unavailable(self, error: JournalUnavailable) -> Response[str]:
        self._logger.append_keys(unavailable_region=error.region, unavailable_reason=error.reason)
        self._count("JournalUnavailable")
        detail = "the journal cannot be reached in every required region; send the same request again, with the same id"
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "journal-unavailable", detail, headers=self._retry_after)

    def _count(self, metric: str) -> None:
        self._metrics.add_metric(name=metric, unit=MetricUnit.Count, value=1)


class _TooLarge(Exception):
    """The body exceeds the limit."""
