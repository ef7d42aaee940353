"""Servers as targets, and target groups with their health as DescribeTargetHealth shows it."""

import contextlib
import http.client
import http.server
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from localaws.net.probe import Failure, Outcome
from localaws.services.elb.deployed import HealthCheck
from tests.local.traffic_world import (
    INTERVAL,
    THRESHOLD,
    World,
    eventually,
    shared_world,
    world,
)

__all__ = ["shared_world", "world"]


CHECK = HealthCheck(
    enabled=True,
    protocol="HTTP",
    port="traffic-port",
    path="/",
    interval=10,
    timeout=5,
    healthy_threshold=3,
    unhealthy_threshold=2,
    matcher="200",
)
UNANSWERED = "/unanswered"
PASS, FAIL = Outcome(status=200), Outcome(Failure.STATUS, 500)


@dataclass
class Target:
    """An HTTP server on loopback whose answer a test sets; it remembers what it was asked."""

    status: int = 200
    delay: float = 0.0
    port: int = 0
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)


@contextlib.contextmanager
def serving(host: str = "127.0.0.1") -> Iterator[Target]:
    found = Target()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append((self.path, self.headers["User-Agent"], self.headers["Host"]))
            if self.path == UNANSWERED:
                time.sleep(60)
                return
            time.sleep(found.delay)
            self.send_response(found.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Keeps the test's output clean."""

    server = http.server.ThreadingHTTPServer((host, 0), Handler)
    found.port = server.server_port
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def target() -> Iterator[Target]:
    with serving() as found:
        yield found


def target_group(world: World, **settings: Any) -> str:
    """A target group of IP targets with the shortest checks AWS allows."""
    given = {
        "Protocol": "TCP",
        "Port": 8080,
        "VpcId": "vpc-1",
        "TargetType": "ip",
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPath": "/health",
        "HealthCheckIntervalSeconds": INTERVAL,
        "HealthCheckTimeoutSeconds": INTERVAL,
        "HealthyThresholdCount": THRESHOLD,
        "UnhealthyThresholdCount": THRESHOLD,
        "Matcher": {"HttpCode": "200-399"},
        **settings,
    }
    made = world.client("elbv2").create_target_group(Name=f"tg-{uuid.uuid4().hex[:10]}", **given)
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def put_in_use(world: World, group: str, kind: str = "network") -> str:
    """Forward a new load balancer's traffic to a group; returns the listener's ARN."""
    elb = world.client("elbv2")
    balancer = elb.create_load_balancer(Name=f"lb-{uuid.uuid4().hex[:10]}", Type=kind)["LoadBalancers"][0]
    made = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Port=8080,
        Protocol="TCP" if kind == "network" else "HTTP",
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return str(made["Listeners"][0]["ListenerArn"])


def register(world: World, group: str, identity: str = "127.0.0.1", **port: int) -> None:
    world.client("elbv2").register_targets(TargetGroupArn=group, Targets=[{"Id": identity, **port}])


def health(world: World, group: str) -> tuple[str, str | None]:
    """State and reason of a group's only target."""
    described = world.client("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert len(described) == 1
    return described[0]["TargetHealth"]["State"], described[0]["TargetHealth"].get("Reason")


def await_state(world: World, group: str, state: str) -> None:
    assert eventually(lambda: health(world, group)[0] == state), f"{health(world, group)}, not {state}"
