"""Checks of the endpoints over HTTP, and of the names that they serve."""

from collections.abc import Callable

import pytest

from drill.preflight import account, traffic
from drill.preflight.finding import Check, Severity
from tests.drill.answers import deployment
from tests.drill.check_world import CRITICAL, OK, Http, World, by_region, http, shared_world, world

__all__ = ["http", "shared_world", "world"]


def test_cells_that_serve_different_names_do_not_fit() -> None:
    finding = account.outputs_agree(deployment(secondary={"ingress.service_name": "other.example.com"}))

    assert finding.severity is CRITICAL
    assert "service_name is pay.example.com and other.example.com" in finding.evidence


@pytest.mark.parametrize(
    ("check", "statuses", "severity", "evidence"),
    [
        (traffic.health, (200, 200), OK, "eu-west-1: 200; eu-central-1: 200"),
        (traffic.health, (200, 503), CRITICAL, "eu-central-1: 503"),
        (traffic.health, (0, 200), CRITICAL, "eu-west-1: no answer (ConnectTimeout)"),
        (traffic.api, (200, 200), OK, "eu-west-1: 200, eu-central-1: 200"),
        (traffic.api, (503, 200), CRITICAL, "eu-west-1: 503"),
        (traffic.api, (200, 0), CRITICAL, "no answer: ConnectTimeout"),
    ],
)
def test_an_endpoint_with_a_bad_response_is_found(
    world: World,
    http: Callable[[Http], None],
    check: Check,
    statuses: tuple[int, int],
    severity: Severity,
    evidence: str,
) -> None:
    http(by_region(*statuses))

    finding = world.check(check)

    assert (finding.severity, evidence in finding.evidence) == (severity, True), finding.evidence
