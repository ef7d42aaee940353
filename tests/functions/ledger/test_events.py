"""Announcing through the event endpoint: how the call is signed and addressed, and what happens when it fails."""

import json
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.session import Session
from ledger.events import ENDPOINT_SECONDS, EndpointId, Events, EventsUnavailable

from tests.functions.ledger.world import entry

BUS, ENDPOINT = "payments-bus", "abcde12345.veo"


class Raw:
    """A response's body as botocore reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Any:
        yield self._body


class Wire:
    """What goes out of a client, answered as given."""

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


TAKEN = (200, {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})
REFUSED = (400, {"__type": "ResourceNotFoundException", "message": "no such endpoint"})
PARTLY = (200, {"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"ErrorCode": "ThrottlingException"}]})


class FixedEndpoint(EndpointId):
    def __init__(self, value: str | None) -> None:
        self._fixed = value

    def get(self) -> str | None:
        return self._fixed


def bodies(wire: Wire) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in wire.sent]


def test_events_for_the_endpoint_go_to_its_host_signed_for_every_region() -> None:
    wire = Wire("events", TAKEN)

    assert Events(wire.client, bus=BUS, endpoint=FixedEndpoint(ENDPOINT)).announce([entry(1)]) == 0

    (request,) = wire.sent
    assert str(request.url).startswith(f"https://{ENDPOINT}.endpoint.events.amazonaws.com")
    authorization = request.headers["Authorization"]
    assert str(authorization).find("AWS4-ECDSA-P256-SHA256") >= 0
    assert request.headers["X-Amz-Region-Set"] in (b"*", "*")
    (event,) = bodies(wire)[0]["Entries"]
    assert (event["EventBusName"], event["DetailType"]) == (BUS, "payment.accepted")


def test_without_an_endpoint_events_go_to_the_own_bus() -> None:
    wire = Wire("events", TAKEN, TAKEN)

    assert Events(wire.client, bus=BUS, endpoint=FixedEndpoint(None)).announce([entry(n) for n in range(11)]) == 0

    assert [len(body["Entries"]) for body in bodies(wire)] == [10, 1]
    assert all("EndpointId" not in body for body in bodies(wire))


@pytest.mark.parametrize("trouble", [REFUSED, PARTLY])
def test_what_the_endpoint_does_not_take_goes_to_the_own_bus(trouble: tuple[int, dict[str, Any]]) -> None:
    wire = Wire("events", trouble, TAKEN)

    assert Events(wire.client, bus=BUS, endpoint=FixedEndpoint(ENDPOINT)).announce([entry(1), entry(2)]) == 2

    assert ["EndpointId" in body for body in bodies(wire)] == [True, False]


def test_events_that_nothing_accepts_are_an_error() -> None:
    wire = Wire("events", PARTLY)

    with pytest.raises(EventsUnavailable, match="ThrottlingException"):
        Events(wire.client, bus=BUS, endpoint=FixedEndpoint(None)).announce([entry(1), entry(2)])


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
