"""The health of functions as targets, and where load balancers send requests by the health of targets."""

import http.client
import http.server
import socket
import uuid
from typing import Any

import pytest

from tests.local.targets import (
    UNANSWERED,
    Target,
    await_state,
    health,
    put_in_use,
    register,
    serving,
    target,
    target_group,
)
from tests.local.traffic_world import (
    INTERVAL,
    World,
    eventually,
    fixed_response,
    shared_world,
    world,
    zipped,
)

__all__ = ["shared_world", "target", "world"]


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
