"""Publishing through the event endpoint: how the call is signed and addressed, and what happens when it fails."""

import json
from typing import Any

from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.session import Session
from ledger.announcements import Announcement
from ledger.events import ENDPOINT_SECONDS, PARALLEL, EndpointId, Events, Published

from tests.functions.ledger.world import NOON

BUS, ENDPOINT = "payments-bus", "abcde12345.veo"


class Raw:
    """A response's body as botocore reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Any:
        yield self._body


class Wire:
    """The requests of a client, answered as given."""

    def __init__(self, service: str, *answers: tuple[int, dict[str, Any]]) -> None:
        self.sent: list[AWSRequest] = []
        self._answers = list(answers)
        self.client: Any = Session().create_client(service, region_name="us-east-2")
        hooks: Any = self.client.meta.events
        hooks.register_first(f"before-send.{service}", self._send)

    def _send(self, request: AWSRequest, **_: object) -> AWSResponse:
        self.sent.append(request)
        status, body = self._answers.pop(0)
        return AWSResponse(str(request.url), status, HTTPHeaders(), Raw(json.dumps(body).encode()))


def taken(count: int) -> tuple[int, dict[str, Any]]:
    return (200, {"FailedEntryCount": 0, "Entries": [{"EventId": str(each)} for each in range(count)]})


REFUSED = (400, {"__type": "ResourceNotFoundException", "message": "no such endpoint"})
PARTLY = (200, {"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"ErrorCode": "ThrottlingException"}]})


class FixedEndpoint(EndpointId):
    def __init__(self, value: str | None) -> None:
        self._fixed = value

    def get(self) -> str | None:
        return self._fixed


def bodies(wire: Wire) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in wire.sent]


def payments(*numbers: int) -> list[Announcement]:
    return [
        Announcement(
            payment_id=f"order-{number:04}",
            amount="12.50",
            currency="EUR",
            content_hash="0" * 64,
            accepted_at=NOON,
            accepted_in="us-east-1",
            posted_at=NOON,
        )
        for number in numbers
    ]


def publish(wire: Wire, *numbers: int, endpoint: str | None = ENDPOINT) -> Published:
    return Events(wire.client, bus=BUS, endpoint=FixedEndpoint(endpoint)).publish(payments(*numbers))


def sent(wire: Wire) -> list[tuple[bool, list[str]]]:
    """Per call: whether to the endpoint, and the ids of its payments."""
    return [
        ("EndpointId" in body, [json.loads(event["Detail"])["payment_id"] for event in body["Entries"]])
        for body in bodies(wire)
    ]


def test_events_for_the_endpoint_go_to_its_host_signed_for_every_region() -> None:
    wire = Wire("events", taken(1))

    assert publish(wire, 1) == Published(accepted=["order-0001"])

    (request,) = wire.sent
    assert str(request.url).startswith(f"https://{ENDPOINT}.endpoint.events.amazonaws.com")
    authorization = request.headers["Authorization"]
    assert str(authorization).find("AWS4-ECDSA-P256-SHA256") >= 0
    assert request.headers["X-Amz-Region-Set"] in (b"*", "*")
    (event,) = bodies(wire)[0]["Entries"]
    assert (event["EventBusName"], event["DetailType"]) == (BUS, "payment.accepted")


def test_the_event_of_a_payment_is_always_the_same() -> None:
    wire = Wire("events", taken(1), taken(1))
    publish(wire, 1, endpoint=None)
    publish(wire, 1, endpoint=None)

    first, second = bodies(wire)
    assert first == second
    assert json.loads(first["Entries"][0]["Detail"]) == {
        "idempotency_key": "payment.accepted:order-0001",
        "payment_id": "order-0001",
        "synthetic": False,
        "amount": "12.50",
        "currency": "EUR",
        "content_hash": "0" * 64,
        "accepted_at": "2026-11-20T12:00:00.000000Z",
        "accepted_in": "us-east-1",
    }


def test_without_an_endpoint_events_go_to_the_own_bus_ten_per_call() -> None:
    wire = Wire("events", taken(10), taken(10))

    assert len(publish(wire, *range(20), endpoint=None).accepted) == 20

    assert sorted(sent(wire)) == [
        (False, [f"order-{number:04}" for number in range(start, start + 10)]) for start in (0, 10)
    ]


def test_only_what_the_endpoint_refuses_goes_to_the_own_bus() -> None:
    wire = Wire("events", PARTLY, taken(1))

    assert publish(wire, 1, 2) == Published(accepted=["order-0001", "order-0002"], fallbacks=1)

    assert sent(wire) == [(True, ["order-0001", "order-0002"]), (False, ["order-0002"])]


def test_a_call_that_the_endpoint_refuses_goes_to_the_own_bus() -> None:
    wire = Wire("events", REFUSED, taken(2))

    assert publish(wire, 1, 2) == Published(accepted=["order-0001", "order-0002"], fallbacks=2)

    assert [to_endpoint for to_endpoint, _ in sent(wire)] == [True, False]


def test_a_refused_event_is_not_among_the_accepted_ones() -> None:
    wire = Wire("events", PARTLY)

    assert publish(wire, 1, 2, endpoint=None) == Published(
        accepted=["order-0001"], refused=1, failure="ThrottlingException"
    )


def test_after_a_call_that_failed_as_a_whole_no_further_one_is_made() -> None:
    wire = Wire("events", *[REFUSED] * PARALLEL)

    published = publish(wire, *range(1000), endpoint=None)

    assert (published.accepted, published.failure, published.is_down) == ([], "ResourceNotFoundException", True)
    assert len(wire.sent) <= PARALLEL


def test_no_call_begins_once_time_is_up() -> None:
    wire = Wire("events")
    events = Events(wire.client, bus=BUS, endpoint=FixedEndpoint(None))

    assert events.publish(payments(1, 2), lambda: True) == Published()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


FOUND = (200, {"Parameter": {"Name": "/p", "Value": ENDPOINT}})
ABSENT = (400, {"__type": "ParameterNotFound", "message": ""})
DENIED = (400, {"__type": "AccessDeniedException", "message": ""})


def test_the_endpoints_id_is_read_once_in_a_while_and_kept_while_it_cannot_be_read() -> None:
    wire, clock = Wire("ssm", FOUND, DENIED, ABSENT), Clock()
    endpoint = EndpointId(wire.client, "/p", clock)

    assert [endpoint.get(), endpoint.get()] == [ENDPOINT, ENDPOINT]
    assert len(wire.sent) == 1
    clock.now += ENDPOINT_SECONDS
    assert endpoint.get() == ENDPOINT
    clock.now += ENDPOINT_SECONDS
    assert endpoint.get() is None


def test_an_endpoint_that_is_not_there_yet_is_read_again_later() -> None:
    wire, clock = Wire("ssm", DENIED, ABSENT, FOUND), Clock()
    endpoint = EndpointId(wire.client, "/p", clock)

    assert [endpoint.get(), endpoint.get(), endpoint.get()] == [None, None, None]
    assert len(wire.sent) == 2, "asked for again at once though it is known to be absent"
    clock.now += ENDPOINT_SECONDS
    assert endpoint.get() == ENDPOINT
    assert EndpointId(wire.client, None).get() is None
