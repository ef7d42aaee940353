"""Messages about payments: events about posted payments, and dead letters about payments that cannot be posted.

Events go through the EventBridge global endpoint, which survives the loss of a region. Delivery is at least once, with
the same `idempotency_key` each time. `synthetic` marks the payment that verifies a recovery. An event identifies the
payment; the parties are read from the API.

Dead letters hold the reason and no content. Lambda's own on-failure destination could carry no reason, and would only
be reached after the whole stream had waited.
"""

import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from common.clock import timestamp
from common.payment_record import is_synthetic

from .announcements import Announcement

SOURCE = "payments"
DETAIL_TYPE = "payment.accepted"
PER_CALL = 10  # API EventBridge.PutEvents
PARALLEL = 10  # calls at a time: as many as botocore keeps connections open
ENDPOINT_SECONDS = 300.0  # how long the endpoint's id is cached


class EndpointId:
    """The id of the global endpoint, from a parameter that the global stack writes after this function exists. `clock`
    returns Unix seconds."""

    def __init__(self, client: Any, parameter: str | None, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._parameter = parameter
        self._clock = clock
        self._value: str | None = None
        self._read_at: float | None = None

    def get(self) -> str | None:
        """The id; None if there is no endpoint. The last value is kept while the parameter cannot be read."""
        now = self._clock()
        if self._parameter and (self._read_at is None or not 0 <= now - self._read_at < ENDPOINT_SECONDS):
            try:
                self._value = self._client.get_parameter(Name=self._parameter)["Parameter"]["Value"]
            except (ClientError, BotoCoreError) as error:
                if isinstance(error, ClientError) and error.response["Error"]["Code"] == "ParameterNotFound":
                    self._value = None
                elif self._value is None:
                    return None  # read again with the next event
            self._read_at = now
        return self._value


@dataclass(frozen=True, kw_only=True)
class Published:
    """The result of publishing. The events that were neither accepted nor tried are to be published again."""

    accepted: list[str] = field(default_factory=list)  # payment ids
    fallbacks: int = 0  # events sent to the own region's bus because the endpoint refused them
    refused: int = 0  # events that neither accepted
    failure: str | None = None  # error's code or class name of a refused event
    is_down: bool = False  # a whole call failed, after which no further one was made


class Events:
    """Publishes events on the bus, preferably through the global endpoint."""

    def __init__(self, client: Any, *, bus: str, endpoint: EndpointId) -> None:
        """`client` is shared by PARALLEL threads."""
        self._client = client
        self._bus = bus
        self._endpoint = endpoint

    def publish(self, payments: Sequence[Announcement], time_is_up: Callable[[], bool] = lambda: False) -> Published:
        """Publish an event for each payment, in parallel calls, in order. No call begins once `time_is_up` or a whole
        call has failed."""
        endpoint = self._endpoint.get()
        down = threading.Event()

        def publish_part(part: Sequence[Announcement]) -> Published:
            if down.is_set() or time_is_up():
                return Published()
            result = self._publish(part, endpoint)
            if result.is_down:
                down.set()
            return result

        parts = [payments[start : start + PER_CALL] for start in range(0, len(payments), PER_CALL)]
        with ThreadPoolExecutor(max_workers=PARALLEL) as pool:
            results = list(pool.map(publish_part, parts))
        return Published(
            accepted=[payment_id for result in results for payment_id in result.accepted],
            fallbacks=sum(result.fallbacks for result in results),
            refused=sum(result.refused for result in results),
            failure=next((result.failure for result in results if result.failure), None),
            is_down=down.is_set(),
        )

    def _publish(self, part: Sequence[Announcement], endpoint: str | None) -> Published:
        """One call, and one to the own bus with the events that the endpoint refused."""
        left, fallbacks, failure = {each.payment_id: self._event(each) for each in part}, 0, None
        if endpoint:
            # The endpoint follows a health check: for a minute it may still route to a lost region.
            left, _ = self._put(left, EndpointId=endpoint)
            fallbacks = len(left)
        if left:
            left, failure = self._put(left)
        accepted = [each.payment_id for each in part if each.payment_id not in left]
        return Published(
            accepted=accepted, fallbacks=fallbacks, refused=len(left), failure=failure, is_down=not accepted
        )

    def _put(self, events: dict[str, dict[str, Any]], **endpoint: str) -> tuple[dict[str, dict[str, Any]], str | None]:
        """The events that were refused, and the error of one of them."""
        try:
            answer = self._client.put_events(Entries=list(events.values()), **endpoint)
        except ClientError as error:
            return events, error.response.get("Error", {}).get("Code", "ClientError")
        except BotoCoreError as error:
            return events, type(error).__name__
        codes = [entry.get("ErrorCode") for entry in answer["Entries"]]  # in the order of the request
        refused = {payment_id: event for (payment_id, event), code in zip(events.items(), codes, strict=True) if code}
        return refused, next((code for code in codes if code), None)

    def _event(self, payment: Announcement) -> dict[str, Any]:
        detail = {
            "idempotency_key": f"{DETAIL_TYPE}:{payment.payment_id}",
            "payment_id": payment.payment_id,
            "synthetic": is_synthetic(payment.payment_id),
            "amount": payment.amount,
            "currency": payment.currency,
            "content_hash": payment.content_hash,
            "accepted_at": timestamp(payment.accepted_at),
            "accepted_in": payment.accepted_in,
        }
        return {
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Detail": json.dumps(detail),
            "EventBusName": self._bus,
            "Time": payment.accepted_at,
        }


class PoisonQueueUnavailable(Exception):
    """The dead-letter queue rejected a message; the message is an error's code or class name."""


@dataclass(frozen=True, kw_only=True)
class Poison:
    """A payment that can never be posted."""

    payment_id: str
    reason: str
    found_in: str  # region
    sequence: str | None = None  # sequence number in the stream


class PoisonQueue:
    """The dead-letter queue that operators read."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def put(self, poison: Poison) -> None:
        """Send the dead letter. Raises PoisonQueueUnavailable."""
        body = json.dumps({"kind": "poison-entry", **asdict(poison)})
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=body)
        except ClientError as error:
            raise PoisonQueueUnavailable(error.response.get("Error", {}).get("Code", "ClientError")) from None
        except BotoCoreError as error:
            raise PoisonQueueUnavailable(type(error).__name__) from None
