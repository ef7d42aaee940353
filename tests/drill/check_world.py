"""A healthy environment for the checks of `drill check`, and changes to it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

from drill.preflight import database
from drill.preflight.finding import Check, Finding, Severity
from shared.deployment import Deployment
from shared.places import Place
from tests.drill import healthy
from tests.drill.answers import Answers, deployment

P, S = Place.PRIMARY, Place.SECONDARY
OK, WARNING, CRITICAL = Severity.OK, Severity.WARNING, Severity.CRITICAL
Http = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def http(monkeypatch: pytest.MonkeyPatch) -> Callable[[Http], None]:
    """Respond to the requests at the endpoints with a function."""

    def answer(handler: Http) -> None:
        def client(**settings: object) -> httpx.Client:
            assert settings.pop("trust_env") is False
            return real(transport=httpx.MockTransport(handler))

        monkeypatch.setattr("drill.preflight.traffic.httpx.Client", client)

    real = httpx.Client
    monkeypatch.setattr("drill.preflight.traffic.ssl.create_default_context", lambda **_: _Trust())
    return answer


class _Trust:
    verify_flags = 0


@dataclass
class World:
    """An environment that is well, and its answers."""

    deployment: Deployment
    answers: Answers

    def check(self, check: Check) -> Finding:
        return check(self.deployment)


@pytest.fixture(scope="module")
def shared_world() -> World:
    found = deployment()
    return World(found, Answers(found, healthy.answers(found)))


@pytest.fixture
def world(shared_world: World) -> World:
    answers, found = shared_world.answers, shared_world.deployment
    answers.reset()
    for place in Place:
        answers.set("GetBucketReplication", healthy.rules(found.cell(place.other).storage.bucket_arn), place)
    return shared_world


def arn(place: Place) -> str:
    return database.member_arn(deployment(), place)


def hours(count: float) -> dict[str, object]:
    return {"RecoveryPoints": [{"CreationDate": healthy.now() - timedelta(hours=count)}]}


def fenced(region: str) -> dict[str, object]:
    return healthy.record(state="fenced", epoch="4", region=region)


def by_region(primary: int, secondary: int) -> Http:
    """The status of each region's endpoints; 0 is no response."""

    def answer(request: httpx.Request) -> httpx.Response:
        status = secondary if "secondary" in request.url.host else primary
        if not status:
            raise httpx.ConnectTimeout("no answer", request=request)
        assert request.url.path.endswith("/health")
        if request.url.host.startswith("nlb-"):
            assert request.headers["host"] == "pay.example.com"
            assert request.extensions["sni_hostname"] == "pay.example.com"
        return httpx.Response(status)

    return answer
