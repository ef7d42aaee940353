"""A region's health endpoints, probed as an external client does."""

import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session
from moto import mock_aws

from common.health_endpoints import Endpoints, EndpointsNotFound, probe_health, read_endpoints
from tests.certificates import write_certificate
from tests.functions.http_endpoint import http_endpoint


def test_a_healthy_region_reports_ok() -> None:
    with http_endpoint() as opened:
        assert probe_health(opened.url, deadline_seconds=2) == "ok"
        assert opened.requested == ["/live/health"]


@pytest.mark.parametrize(
    ("status", "reported", "health"),
    [
        (503, "fenced", "fenced"),
        (503, "returning", "returning"),
        (503, "unavailable", "status 503"),
        (404, "", "status 404"),
        (502, "unexpected", "status 502"),
    ],
)
def test_a_region_that_does_not_serve_reports_why(status: int, reported: str, health: str) -> None:
    with http_endpoint() as opened:
        opened.fail(status, reported)

        assert probe_health(opened.url, deadline_seconds=2) == health


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_certificate_of_another_name_is_no_hindrance(tmp_path: Path) -> None:
    made = write_certificate(tmp_path, "pay.example")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(made.certificate, made.key)
    with http_endpoint(tls) as opened:
        assert probe_health(opened.url, deadline_seconds=2) == "ok"


def test_the_systems_certificates_are_not_read_for_a_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading them costs more CPU than all the rest of a probe."""
    made = write_certificate(tmp_path, "pay.example")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(made.certificate, made.key)
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda *_: pytest.fail("certificates were read"))
    with http_endpoint(tls) as opened:
        assert probe_health(opened.url, deadline_seconds=2) == "ok"


def test_an_endpoint_that_hangs_costs_no_more_than_the_deadline() -> None:
    with http_endpoint() as opened:
        opened.hold = threading.Event()

        assert probe_health(opened.url, deadline_seconds=0.2) == "ReadTimeoutError"


def test_a_closed_port_is_unreachable() -> None:
    with http_endpoint() as opened:
        url = opened.url

    assert probe_health(url, deadline_seconds=2) == "NewConnectionError"


def test_an_answer_that_is_no_json_is_still_an_answer() -> None:
    with http_endpoint() as opened:
        opened.fail(418)
        opened.body = ["not an object"]  # type: ignore[assignment]

        assert probe_health(opened.url, deadline_seconds=2) == "status 418"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("body", ["<html>502 Bad Gateway</html>", {"message": "Internal server error"}])
def test_an_answer_of_the_gateway_itself_is_an_overload_and_not_a_loss(status: int, body: Any) -> None:
    with http_endpoint() as opened:
        opened.status, opened.body = status, body

        assert probe_health(opened.url, deadline_seconds=2) == "overloaded"


@pytest.fixture
def ssm() -> Any:
    with mock_aws():
        yield Session().create_client("ssm", region_name="us-east-1")


def test_the_endpoints_are_read_from_parameters(ssm: Any) -> None:
    for name, url in (("load-balancer", "https://nlb.example/"), ("api", "https://api.example/live")):
        ssm.put_parameter(Name=f"/app/dev/endpoints/us-east-2/{name}", Value=url, Type="String")

    assert read_endpoints(ssm, "/app/dev/endpoints", "us-east-2") == Endpoints(
        load_balancer="https://nlb.example", api="https://api.example/live"
    )


def test_a_missing_endpoint_is_named_by_its_parameter(ssm: Any) -> None:
    ssm.put_parameter(Name="/app/dev/endpoints/us-east-2/api", Value="https://api.example/live", Type="String")

    with pytest.raises(EndpointsNotFound, match="/app/dev/endpoints/us-east-2/load-balancer is missing"):
        read_endpoints(ssm, "/app/dev/endpoints", "us-east-2")
