"""Target health as DescribeTargetHealth and the load balancers show it."""

import contextlib
import http.client
import http.server
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.net.probe import Failure, Outcome
from localaws.services.elb.deployed import HealthCheck
from localaws.services.elb.target_health import INITIAL, Health, State, after, matches
from tests.local.traffic_world import (
    EAST_1,
    INTERVAL,
    SPEED,
    THRESHOLD,
    World,
    eventually,
    fixed_response,
    shared_world,
    world,
    zipped,
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


def test_a_target_of_a_group_that_no_load_balancer_uses_is_unused(world: World, target: Target) -> None:
    group = target_group(world)
    register(world, group, Port=target.port)
    time.sleep(0.3)

    assert health(world, group) == ("unused", "Target.NotInUse")
    assert not target.asked, "a group that is not in use is not checked"


def test_a_new_target_is_healthy_after_one_passed_check(world: World, target: Target) -> None:
    group = target_group(world, HealthCheckIntervalSeconds=300)
    put_in_use(world, group)
    register(world, group, Port=target.port)

    await_state(world, group, "healthy")
    assert len(target.asked) == 1


def test_a_check_is_a_request_as_a_load_balancer_sends_it(world: World, target: Target) -> None:
    group = target_group(world)
    put_in_use(world, group)
    register(world, group, Port=target.port)
    assert eventually(lambda: target.asked)

    path, agent, host = target.asked[0]
    assert (path, agent) == ("/health", "ELB-HealthChecker/2.0")
    assert host is not None
    assert host.endswith(":8080"), "the Host header carries the listener's port"


def test_a_new_target_that_fails_is_initial_and_then_unhealthy(world: World, target: Target) -> None:
    target.status = 500
    group = target_group(world, HealthCheckIntervalSeconds=20, UnhealthyThresholdCount=2)
    put_in_use(world, group)
    register(world, group, Port=target.port)
    assert eventually(lambda: target.asked)
    seen: list[tuple[str, str | None]] = []

    def is_unhealthy() -> bool:
        seen.append(health(world, group))
        return seen[-1][0] == "unhealthy"

    assert eventually(is_unhealthy)
    assert len(target.asked) >= 2
    assert set(seen[:-1]) <= {("initial", "Elb.InitialHealthChecking")}


@pytest.mark.parametrize("tail", [0.0, 300.0])
def test_load_balancers_use_an_unhealthy_target_for_the_tail(
    world: World, target: Target, monkeypatch: pytest.MonkeyPatch, tail: float
) -> None:
    monkeypatch.setattr(world.traffic.target_health, "_tail", tail)
    group = target_group(world)
    listener = put_in_use(world, group)
    balancer = listener.rpartition("/")[0].replace(":listener/", ":loadbalancer/")
    register(world, group, Port=target.port)
    await_state(world, group, "healthy")

    target.status = 503
    failing_since = time.monotonic()
    await_state(world, group, "unhealthy")
    assert eventually(lambda: world.traffic.target_health.load_balancer(balancer) is State.UNHEALTHY)

    took = (time.monotonic() - failing_since) * SPEED
    assert took >= tail, "the accelerator would have stopped sending earlier"


def test_a_target_turns_unhealthy_after_its_threshold_of_failed_checks_and_not_before(
    world: World, target: Target
) -> None:
    interval, threshold = 10, 3
    group = target_group(world, HealthCheckIntervalSeconds=interval, UnhealthyThresholdCount=threshold)
    put_in_use(world, group)
    register(world, group, Port=target.port)
    await_state(world, group, "healthy")
    failing_since, target.status = time.monotonic(), 503
    await_state(world, group, "unhealthy")
    took = (time.monotonic() - failing_since) * SPEED

    assert took >= (threshold - 1) * interval, "fewer failed checks than the threshold fit into this time"


def test_a_target_recovers_after_its_threshold_of_passed_checks(world: World, target: Target) -> None:
    target.status = 500
    group = target_group(world, HealthyThresholdCount=3)
    put_in_use(world, group)
    register(world, group, Port=target.port)
    await_state(world, group, "unhealthy")
    before, target.status = len(target.asked), 200
    await_state(world, group, "healthy")

    assert len(target.asked) - before >= 3


def test_an_unexpected_status_is_a_mismatch_with_its_code(world: World, target: Target) -> None:
    target.status = 404
    group = target_group(world)
    put_in_use(world, group)
    register(world, group, Port=target.port)
    await_state(world, group, "unhealthy")
    described = world.client("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]

    assert described["TargetHealth"] == {
        "State": "unhealthy",
        "Reason": "Target.ResponseCodeMismatch",
        "Description": "Health checks failed with these codes: [404]",
    }
    assert described["HealthCheckPort"] == str(target.port)


def test_a_target_that_does_not_answer_times_out(world: World, target: Target) -> None:
    target.delay = 1.0
    group = target_group(world)
    put_in_use(world, group)
    register(world, group, Port=target.port)

    await_state(world, group, "unhealthy")
    assert health(world, group) == ("unhealthy", "Target.Timeout")


@pytest.mark.parametrize("protocol", ["TCP", "HTTP", "HTTPS"])
def test_a_port_without_a_server_fails_its_checks(world: World, protocol: str) -> None:
    group = target_group(world, HealthCheckProtocol=protocol)
    put_in_use(world, group)
    register(world, group, Port=1)

    await_state(world, group, "unhealthy")
    assert health(world, group) == ("unhealthy", "Target.FailedHealthChecks")


def test_an_address_of_a_vpc_is_not_reached_from_this_machine(world: World) -> None:
    group = target_group(world, HealthCheckProtocol="TCP")
    put_in_use(world, group)
    register(world, group, "10.0.0.5", Port=80)

    await_state(world, group, "unhealthy")


def test_health_checks_may_go_to_a_port_of_their_own(world: World, target: Target) -> None:
    group = target_group(world, HealthCheckPort=str(target.port))
    put_in_use(world, group)
    register(world, group, Port=1)

    await_state(world, group, "healthy")


def test_a_deregistered_target_is_no_longer_checked(world: World, target: Target) -> None:
    group = target_group(world)
    put_in_use(world, group)
    register(world, group, Port=target.port)
    await_state(world, group, "healthy")
    elb, one = world.client("elbv2"), {"Id": "127.0.0.1", "Port": target.port}
    elb.deregister_targets(TargetGroupArn=group, Targets=[one])

    def has_no_more_checks() -> bool:
        before = len(target.asked)
        time.sleep(0.3)  # three intervals
        return len(target.asked) == before

    assert eventually(has_no_more_checks)
    found = elb.describe_target_health(TargetGroupArn=group, Targets=[one])["TargetHealthDescriptions"][0]
    assert found["TargetHealth"]["Reason"] == "Target.NotRegistered"


def test_changed_settings_apply_to_running_checks(world: World, target: Target) -> None:
    group = target_group(world)
    put_in_use(world, group)
    register(world, group, Port=target.port)
    await_state(world, group, "healthy")
    world.client("elbv2").modify_target_group(TargetGroupArn=group, HealthCheckPath="/ready")

    assert eventually(lambda: target.asked[-1][0] == "/ready")


def test_target_health_of_an_unknown_group_is_an_error(world: World) -> None:
    arn = f"arn:aws:elasticloadbalancing:{EAST_1}:{world.account}:targetgroup/none/0123456789abcdef"
    with pytest.raises(ClientError) as refused:
        world.client("elbv2").describe_target_health(TargetGroupArn=arn)

    assert refused.value.response["Error"]["Code"] == "TargetGroupNotFound"


def lambda_target(world: World, **settings: Any) -> str:
    """A function that is healthy as long as it is asked at /health, behind an application load balancer."""
    code = "def handler(event, _):\n    return {'statusCode': 200 if event['path'] == '/health' else 418, 'body': ''}\n"
    function = world.client("lambda").create_function(
        FunctionName=f"f-{uuid.uuid4().hex[:10]}",
        Runtime="python3.11",
        Handler="index.handler",
        Role=f"arn:aws:iam::{world.account}:role/any",
        Code={"ZipFile": zipped(code)},
    )["FunctionArn"]
    elb = world.client("elbv2")
    group = elb.create_target_group(Name=f"tg-{uuid.uuid4().hex[:10]}", TargetType="lambda", **settings)
    arn = str(group["TargetGroups"][0]["TargetGroupArn"])
    put_in_use(world, arn, "application")
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": function}])
    return arn


def test_a_function_is_not_checked_by_default_and_its_health_is_unavailable(world: World) -> None:
    group = lambda_target(world)

    await_state(world, group, "unavailable")
    assert health(world, group) == ("unavailable", "Target.HealthCheckDisabled")


def test_a_function_with_checks_is_invoked_for_its_health(world: World) -> None:
    healthy = lambda_target(world, HealthCheckEnabled=True, HealthCheckPath="/health")
    unhealthy = lambda_target(
        world,
        HealthCheckEnabled=True,
        HealthCheckPath="/",
        HealthCheckIntervalSeconds=INTERVAL,
        UnhealthyThresholdCount=2,
    )

    await_state(world, healthy, "healthy")
    await_state(world, unhealthy, "unhealthy")


def test_an_application_load_balancer_sends_requests_to_healthy_targets_only(world: World, target: Target) -> None:
    group = target_group(world, Protocol="HTTP", Matcher={"HttpCode": "200"}, HealthCheckIntervalSeconds=INTERVAL)
    listener = put_in_use(world, group, "application")
    register(world, group, "127.0.0.1", Port=target.port)
    register(world, group, "127.0.0.2", Port=1)
    elb = world.client("elbv2")
    assert eventually(
        lambda: (
            sorted(
                found["TargetHealth"]["State"]
                for found in elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
            )
            == ["healthy", "unhealthy"]
        )
    )
    arn = elb.describe_listeners(ListenerArns=[listener])["Listeners"][0]["LoadBalancerArn"]
    name = elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]["DNSName"]
    host, port = world.address(name, 8080)
    statuses = set()
    for _ in range(10):
        connection = http.client.HTTPConnection(host, port, timeout=5)
        connection.request("GET", "/")
        statuses.add(connection.getresponse().status)
        connection.close()

    assert statuses == {200}


def test_a_network_load_balancer_resets_the_connections_of_a_target_that_turned_unhealthy(
    world: World, target: Target
) -> None:
    elb = world.client("elbv2")
    group = target_group(world)
    listener = put_in_use(world, group)
    arn = elb.describe_listeners(ListenerArns=[listener])["Listeners"][0]["LoadBalancerArn"]
    name = elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]["DNSName"]
    register(world, group, Port=target.port)
    await_state(world, group, "healthy")
    with serving("127.0.0.2") as other, socket.create_connection(world.address(name, 8080), 5) as connection:
        connection.settimeout(60)
        connection.sendall(f"GET {UNANSWERED} HTTP/1.0\r\n\r\n".encode())
        assert eventually(lambda: any(path == UNANSWERED for path, *_ in target.asked)), "it is connected to the first"
        register(world, group, "127.0.0.2", Port=other.port)
        assert eventually(lambda: other.asked)
        target.status = 500

        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_rule_that_forwards_to_a_group_puts_it_in_use(world: World, target: Target) -> None:
    elb = world.client("elbv2")
    balancer = elb.create_load_balancer(Name=f"lb-{uuid.uuid4().hex[:10]}")["LoadBalancers"][0]["LoadBalancerArn"]
    listener = elb.create_listener(
        LoadBalancerArn=balancer, Port=80, Protocol="HTTP", DefaultActions=[fixed_response(404, "")]
    )["Listeners"][0]["ListenerArn"]
    group = target_group(world, Protocol="HTTP", Matcher={"HttpCode": "200"})
    register(world, group, Port=target.port)
    elb.create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/payments*"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )

    await_state(world, group, "healthy")


def test_status_lists_each_target_with_its_load_balancer(world: World, target: Target) -> None:
    group = target_group(world)
    put_in_use(world, group)
    register(world, group, Port=target.port)
    await_state(world, group, "healthy")
    name = group.split("/")[1]

    found = [entry for entry in world.traffic.status()["targets"] if entry["target_group"] == name]

    assert [(entry["region"], entry["port"], entry["state"]) for entry in found] == [(EAST_1, target.port, "healthy")]
    assert found[0]["load_balancer"].startswith("lb-")


def test_a_passed_check_starts_the_count_of_failures_anew() -> None:
    health = Health(state=State.HEALTHY, failures=1)

    health = after(after(health, PASS, CHECK), FAIL, CHECK)

    assert (health.state, health.failures) == (State.HEALTHY, 1)


def test_a_failed_check_starts_the_count_of_passes_anew() -> None:
    health = Health(state=State.UNHEALTHY)
    for outcome in (PASS, PASS, FAIL, PASS, PASS):
        health = after(health, outcome, CHECK)
    assert health.state is State.UNHEALTHY

    assert after(health, PASS, CHECK).state is State.HEALTHY


def test_an_initial_target_is_not_routable() -> None:
    assert not INITIAL.routable


@pytest.mark.parametrize(
    ("matcher", "accepted", "refused"), [("200", [200], [201]), ("200-299, 302", [200, 299, 302], [301, 300])]
)
def test_a_matcher_names_codes_and_ranges(matcher: str, accepted: list[int], refused: list[int]) -> None:
    assert all(map(matches(matcher), accepted))
    assert not any(map(matches(matcher), refused))
