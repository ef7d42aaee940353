"""Target health as DescribeTargetHealth and the load balancers show it."""

import time

import pytest
from botocore.exceptions import ClientError

from localaws.services.elb.target_health import INITIAL, Health, State, after, matches
from tests.local.targets import (
    CHECK,
    FAIL,
    PASS,
    Target,
    await_state,
    health,
    put_in_use,
    register,
    target,
    target_group,
)
from tests.local.traffic_world import (
    EAST_1,
    SPEED,
    World,
    eventually,
    shared_world,
    world,
)

__all__ = ["shared_world", "target", "world"]


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
