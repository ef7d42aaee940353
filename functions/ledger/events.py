"""Messages that the ledger sends: events about posted payments, and dead letters about payments that cannot be posted.

Events go through the EventBridge global endpoint, which survives the loss of a region. Delivery is at least once:
consumers recognize a payment by its id. An event identifies the payment; the parties are read from the API.

Dead letters hold the reason and no content. Lambda's own on-failure destination could carry no reason, and would only
be reached after the whole stream had waited.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from common.payment_record import JournalEntry

SOURCE = "payments"
DETAIL_TYPE = "payment.accepted"
PER_CALL = 10  # API EventBridge.PutEvents
ENDPOINT_SECONDS = 300.0  # how long the endpoint's id is cached


class EventsUnavailable(Exception):
    """Neither the endpoint nor the own region's bus accepted the events; the message is an error's code or class
    name."""


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


class Events:
    """Publishes events on the bus, preferably through the global endpoint."""

    def __init__(self, client: Any, *, bus: str, endpoint: EndpointId) -> None:
        self._client = client
        self._bus = bus
        self._endpoint = endpoint

    def announce(self, entries: Sequence[JournalEntry]) -> int:
        """Publish an event for each payment. Returns how many went to the own region's bus because the endpoint failed.
        Raises EventsUnavailable.
        """
        endpoint = self._endpoint.get()
        fallbacks = 0
        for start in range(0, len(entries), PER_CALL):
            events = [self._event(entry) for entry in entries[start : start + PER_CALL]]
            if endpoint:
                try:
                    self._put(events, EndpointId=endpoint)
                except EventsUnavailable:
                    # The endpoint follows a health check: for a minute it may still route to a lost region.
                    fallbacks += len(events)
                else:
                    continue
            self._put(events)
        return fallbacks

    def _put(self, events: list[dict[str, Any]], **endpoint: str) -> None:
        try:
            answer = self._client.put_events(Entries=events, **endpoint)
        except ClientError as error:
            raise EventsUnavailable(error.response.get("Error", {}).get("Code", "ClientError")) from None
        except BotoCoreError as error:
            raise EventsUnavailable(type(error).__name__) from None
        refused = [entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry]
        if refused:
            raise EventsUnavailable(refused[0])

    def _event(self, entry: JournalEntry) -> dict[str, Any]:
        detail = {
            "payment_id": entry.payment_id,
            "amount": entry.amount,
            "currency": entry.currency,
            "content_hash": entry.content_hash,
            "accepted_at": entry.accepted_at,
            "accepted_in": entry.accepted_in,
        }
        return {
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Detail": json.dumps(detail),
            "EventBusName": self._bus,
            "Time": datetime.fromisoformat(entry.accepted_at),
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
