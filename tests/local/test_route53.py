"""Route 53 health checks through boto3, against endpoints that live and die."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.net.probe import Failure, Outcome
from localaws.services.route53.health_checks import Checker
from tests.local.traffic_world import EAST_1, SPEED, Cell, World, eventually, shared_world, world

__all__ = ["shared_world", "world"]


@pytest.fixture
def cell(world: World) -> Cell:
    found = world.cell(EAST_1)
    world.address(found.nlb_name)
    return found


@pytest.fixture(autouse=True)
def no_health_check_stays(world: World) -> Iterator[None]:
    yield
    client = world.client("route53")
    for found in client.list_health_checks()["HealthChecks"]:
        client.delete_health_check(HealthCheckId=found["Id"])


def check(world: World, kind: str, **settings: Any) -> str:
    """A health check with the shortest interval and threshold; returns its id."""
    probed = kind not in ("CALCULATED", "CLOUDWATCH_METRIC")
    given = {"Type": kind, **({"RequestInterval": 10, "FailureThreshold": 1} if probed else {}), **settings}
    made = world.client("route53").create_health_check(CallerReference=uuid.uuid4().hex, HealthCheckConfig=given)
    return str(made["HealthCheck"]["Id"])


def https(world: World, cell: Cell, **settings: Any) -> str:
    return check(world, "HTTPS", FullyQualifiedDomainName=cell.nlb_name, ResourcePath="/health", **settings)


def statuses(world: World, identity: str) -> list[str]:
    found = world.client("route53").get_health_check_status(HealthCheckId=identity)["HealthCheckObservations"]
    return [observation["StatusReport"]["Status"] for observation in found]


def healthy(world: World, identity: str) -> bool | None:
    """The status of a check; None while it is not looked at yet."""
    found = [bool(one["healthy"]) for one in world.traffic.status()["health_checks"] if one["id"] == identity]
    return found[0] if found else None


def await_healthy(world: World, identity: str, wanted: bool) -> None:
    assert eventually(lambda: healthy(world, identity) is wanted), statuses(world, identity)


def test_three_checkers_report_what_they_saw(world: World, cell: Cell) -> None:
    identity = https(world, cell)

    assert eventually(lambda: statuses(world, identity) == ["Success: HTTP Status Code 200, OK"] * 3)
    found = world.client("route53").get_health_check_status(HealthCheckId=identity)["HealthCheckObservations"]
    assert len({observation["Region"] for observation in found}) == 3
    assert len({observation["IPAddress"] for observation in found}) == 3


def test_checkers_stand_in_the_regions_that_were_asked_for(world: World, cell: Cell) -> None:
    regions = ["us-west-1", "us-west-2", "eu-west-1", "sa-east-1"]
    identity = https(world, cell, Regions=regions)

    def seen() -> list[str]:
        found = world.client("route53").get_health_check_status(HealthCheckId=identity)["HealthCheckObservations"]
        return [observation["Region"] for observation in found]

    assert eventually(lambda: seen() == regions)


def test_an_endpoint_turns_unhealthy_after_its_threshold_of_failures_and_not_before(world: World, cell: Cell) -> None:
    interval, threshold = 10, 3
    identity = https(world, cell, FailureThreshold=threshold)
    assert eventually(lambda: len(statuses(world, identity)) == 3)
    failing_since = time.monotonic()
    world.answer_with(cell, 503)
    assert eventually(lambda: healthy(world, identity) is False)
    took = (time.monotonic() - failing_since) * SPEED

    assert took >= (threshold - 1) * interval, "all checkers need their threshold of failures first"
    assert statuses(world, identity) == ["Failure: HTTP Status Code 503, Service Unavailable"] * 3


@pytest.mark.parametrize("kind", ["error", "reset", "hang"])
def test_an_endpoint_of_a_lost_region_is_unhealthy_until_the_region_is_back(
    world: World, cell: Cell, kind: str
) -> None:
    identity = https(world, cell)
    await_healthy(world, identity, True)
    world.lose(EAST_1, kind)
    await_healthy(world, identity, False)
    world.outages.heal(EAST_1)

    await_healthy(world, identity, True)


@pytest.mark.parametrize("kind", ["error", "reset", "hang"])
def test_not_even_a_connection_opens_in_a_lost_region(world: World, cell: Cell, kind: str) -> None:
    identity = check(world, "TCP", FullyQualifiedDomainName=cell.nlb_name, Port=443)
    await_healthy(world, identity, True)
    world.lose(EAST_1, kind)
    await_healthy(world, identity, False)
    world.outages.heal(EAST_1)

    await_healthy(world, identity, True)


def test_the_last_failure_is_remembered_after_a_recovery(world: World, cell: Cell) -> None:
    world.answer_with(cell, 500)
    identity = https(world, cell)
    await_healthy(world, identity, False)
    world.answer_with(cell, 200)
    await_healthy(world, identity, True)

    found = world.client("route53").get_health_check_last_failure_reason(HealthCheckId=identity)
    reasons = {observation["StatusReport"]["Status"] for observation in found["HealthCheckObservations"]}
    assert reasons == {"Failure: HTTP Status Code 500, Internal Server Error"}


def test_a_redirect_is_healthy_and_404_is_not(world: World, cell: Cell) -> None:
    world.answer_with(cell, 404)
    identity = https(world, cell)
    await_healthy(world, identity, False)
    world.client("elbv2").modify_listener(
        ListenerArn=cell.alb_listener,
        DefaultActions=[{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_302", "Path": "/elsewhere"}}],
    )

    await_healthy(world, identity, True)


def test_a_string_must_stand_in_the_body(world: World, cell: Cell) -> None:
    world.answer_with(cell, 200, "all systems go")
    named = {"FullyQualifiedDomainName": cell.nlb_name}
    found = check(world, "HTTPS_STR_MATCH", SearchString="systems go", **named)
    missing = check(world, "HTTPS_STR_MATCH", SearchString="systems Go", **named)

    await_healthy(world, missing, False)
    assert healthy(world, found)
    assert statuses(world, missing)[0] == "Failure: the search string was not found"


def test_a_tcp_check_needs_a_connection_only(world: World, cell: Cell) -> None:
    world.answer_with(cell, 503)
    listening = check(world, "TCP", FullyQualifiedDomainName=cell.nlb_name, Port=443)
    closed = check(world, "TCP", FullyQualifiedDomainName=cell.nlb_name, Port=444)

    await_healthy(world, closed, False)
    assert healthy(world, listening)


def test_a_name_that_leads_nowhere_is_a_failed_resolution(world: World) -> None:
    identity = check(world, "HTTPS", FullyQualifiedDomainName="nobody.example.com")

    await_healthy(world, identity, False)
    assert statuses(world, identity)[0].startswith("Failure: DNS resolution failed")


def rest_api(world: World) -> str:
    """A REST API in us-east-1 whose stage `prod` answers 200 at /health; returns its id."""
    client = world.client("apigateway")
    api = client.create_rest_api(name=uuid.uuid4().hex)["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    resource = client.create_resource(restApiId=api, parentId=root, pathPart="health")["id"]
    method = {"restApiId": api, "resourceId": resource, "httpMethod": "GET"}
    client.put_method(authorizationType="NONE", **method)
    client.put_method_response(statusCode="200", **method)
    client.put_integration(type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}, **method)
    client.put_integration_response(statusCode="200", **method)
    client.create_deployment(restApiId=api, stageName="prod")
    return str(api)


def test_the_invoke_name_of_an_api_is_checked_through_the_emulator(world: World) -> None:
    named = {"FullyQualifiedDomainName": f"{rest_api(world)}.execute-api.{EAST_1}.amazonaws.com", "Port": 443}
    there = check(world, "HTTPS", ResourcePath="/prod/health", **named)
    elsewhere = check(world, "HTTPS", ResourcePath="/prod/nothing", **named)

    await_healthy(world, elsewhere, False)
    assert healthy(world, there)
    assert statuses(world, there)[0] == "Success: HTTP Status Code 200, OK"


def test_a_custom_domain_of_an_api_is_checked_in_its_region(world: World) -> None:
    client, domain = world.client("apigateway"), f"{uuid.uuid4().hex[:8]}.example.com"
    regional = client.create_domain_name(domainName=domain, endpointConfiguration={"types": ["REGIONAL"]})
    client.create_base_path_mapping(domainName=domain, restApiId=rest_api(world), stage="prod")
    zone = world.client("route53").create_hosted_zone(Name=domain, CallerReference=uuid.uuid4().hex)["HostedZone"]["Id"]
    alias = {
        "HostedZoneId": regional["regionalHostedZoneId"],
        "DNSName": regional["regionalDomainName"],
        "EvaluateTargetHealth": False,
    }
    world.client("route53").change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={
            "Changes": [
                {"Action": "CREATE", "ResourceRecordSet": {"Name": domain, "Type": "A", "AliasTarget": alias}},
            ]
        },
    )
    identity = check(world, "HTTPS", FullyQualifiedDomainName=domain, ResourcePath="/health")

    assert eventually(lambda: statuses(world, identity) == ["Success: HTTP Status Code 200, OK"] * 3)


def test_an_inverted_check_is_healthy_when_its_endpoint_is_not(world: World, cell: Cell) -> None:
    identity = https(world, cell, Inverted=True)
    await_healthy(world, identity, False)
    world.answer_with(cell, 503)

    await_healthy(world, identity, True)


def test_a_disabled_check_is_healthy_and_probes_nothing(world: World, cell: Cell) -> None:
    world.answer_with(cell, 503)
    identity = https(world, cell, Disabled=True)
    time.sleep(0.5)

    assert healthy(world, identity)
    assert statuses(world, identity) == []


def test_booleans_survive_the_way_to_the_sdk_and_back(world: World, cell: Cell) -> None:
    identity = https(world, cell, Inverted=True, Disabled=True, EnableSNI=True, MeasureLatency=False)
    found = world.client("route53").get_health_check(HealthCheckId=identity)["HealthCheck"]["HealthCheckConfig"]

    assert [found[name] for name in ("Inverted", "Disabled", "EnableSNI", "MeasureLatency")] == [
        True,
        True,
        True,
        False,
    ]


def test_an_updated_check_is_followed(world: World, cell: Cell) -> None:
    identity = https(world, cell)
    assert eventually(lambda: statuses(world, identity))
    world.client("route53").update_health_check(HealthCheckId=identity, Port=4443)

    await_healthy(world, identity, False)


def test_a_calculated_check_counts_its_healthy_children(world: World, cell: Cell) -> None:
    good = https(world, cell)
    bad = check(world, "TCP", FullyQualifiedDomainName=cell.nlb_name, Port=444)
    children = {"ChildHealthChecks": [good, bad]}
    one = check(world, "CALCULATED", HealthThreshold=1, **children)
    both = check(world, "CALCULATED", HealthThreshold=2, **children)

    await_healthy(world, bad, False)
    assert eventually(lambda: healthy(world, one) and healthy(world, both) is False)
    with pytest.raises(ClientError) as refused:
        statuses(world, one)
    assert refused.value.response["Error"]["Code"] == "InvalidInput"


@pytest.mark.parametrize(("unknown", "expected"), [("Healthy", True), ("Unhealthy", False), ("LastKnownStatus", False)])
def test_a_check_of_an_alarm_follows_its_state(world: World, unknown: str, expected: bool) -> None:
    client, name = world.client("cloudwatch"), uuid.uuid4().hex
    client.put_metric_alarm(
        AlarmName=name,
        Namespace="App",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    client.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="test")
    identity = check(
        world,
        "CLOUDWATCH_METRIC",
        AlarmIdentifier={"Region": EAST_1, "Name": name},
        InsufficientDataHealthStatus=unknown,
    )
    assert eventually(lambda: healthy(world, identity))
    client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    assert eventually(lambda: healthy(world, identity) is False)
    client.set_alarm_state(AlarmName=name, StateValue="INSUFFICIENT_DATA", StateReason="test")
    time.sleep(0.3)

    assert eventually(lambda: healthy(world, identity) is expected)


def test_the_status_of_an_unknown_check_is_an_error(world: World) -> None:
    with pytest.raises(ClientError) as refused:
        statuses(world, str(uuid.uuid4()))

    assert refused.value.response["Error"]["Code"] == "NoSuchHealthCheck"


def test_a_deleted_check_is_no_longer_probed(world: World, cell: Cell) -> None:
    identity = https(world, cell)
    assert eventually(lambda: statuses(world, identity))
    world.client("route53").delete_health_check(HealthCheckId=identity)

    assert eventually(lambda: identity not in [entry["id"] for entry in world.traffic.status()["health_checks"]])


def test_a_checker_changes_its_mind_after_a_threshold_in_a_row_only() -> None:
    checker, good, bad = Checker(region="us-east-1"), Outcome(status=200), Outcome(Failure.TIMEOUT)
    for outcome in (bad, bad, good, bad, bad):
        checker.record(outcome, 3)
    assert checker.healthy
    checker.record(bad, 3)
    assert not checker.healthy
    for outcome in (good, good):
        checker.record(outcome, 3)
    assert not checker.healthy

    checker.record(good, 3)
    assert checker.healthy
