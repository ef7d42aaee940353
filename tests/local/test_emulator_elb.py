"""The emulator's load balancing, certificates, names and alarms as patched, seen by clients and by the traffic side."""

import asyncio
import uuid
from typing import Any

import pytest

from localaws import emulator
from tests.local.traffic_world import (
    EAST_1,
    EAST_2,
    Cell,
    World,
    eventually,
    fixed_response,
    shared_world,
    world,
    zipped,
)

__all__ = ["shared_world", "world"]


@pytest.fixture
def cell(world: World) -> Cell:
    return world.cell(EAST_2)


def test_a_service_of_our_own_answers_and_is_forgotten_on_reset(world: World) -> None:
    from ministack import app

    client = world.accelerator_client()
    client.create_accelerator(Name="x", IdempotencyToken=uuid.uuid4().hex)
    app._loaded_modules["globalaccelerator"].reset()

    assert client.list_accelerators()["Accelerators"] == []
    assert app.SERVICE_REGISTRY["globalaccelerator"]["module"] in app._registry_module_names()


def test_records_of_every_region_are_seen_at_once(world: World, cell: Cell) -> None:
    world.cell(EAST_1)
    regions = {record["LoadBalancerArn"].split(":")[3] for record in emulator.elb.load_balancer_records()}

    assert regions >= {EAST_1, EAST_2}
    assert cell.target_group in [record["TargetGroupArn"] for record in emulator.elb.target_group_records()]
    assert cell.nlb_listener in [record["ListenerArn"] for record in emulator.elb.listener_records()]
    assert cell.alb_listener in [record["ListenerArn"] for record in emulator.elb.listener_rule_records()]
    assert emulator.elb.registered_targets()[cell.target_group] == [{"Id": cell.alb, "Port": 443}]
    assert emulator.elb.load_balancer_attributes(cell.alb)["idle_timeout.timeout_seconds"] == "60"


def test_a_network_load_balancer_is_named_as_on_aws_everywhere(world: World, cell: Cell) -> None:
    elb = world.client("elbv2", EAST_2)
    found = elb.describe_load_balancers(LoadBalancerArns=[cell.nlb])["LoadBalancers"][0]
    listener = elb.describe_listeners(LoadBalancerArn=cell.nlb)["Listeners"][0]
    group = elb.describe_target_groups(TargetGroupArns=[cell.target_group])["TargetGroups"][0]

    assert ":loadbalancer/net/" in cell.nlb
    assert found["DNSName"].endswith(f".elb.{EAST_2}.amazonaws.com")
    assert listener["ListenerArn"] == cell.nlb_listener
    assert ":listener/net/" in cell.nlb_listener
    assert group["LoadBalancerArns"] == [cell.nlb]
    elb.add_tags(ResourceArns=[cell.nlb, cell.nlb_listener], Tags=[{"Key": "a", "Value": "b"}])
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=cell.nlb, Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}]
    )
    elb.delete_listener(ListenerArn=cell.nlb_listener)
    elb.delete_load_balancer(LoadBalancerArn=cell.nlb)


def test_an_application_load_balancer_keeps_its_name(cell: Cell) -> None:
    assert ":loadbalancer/app/" in cell.alb
    assert ":listener/app/" in cell.alb_listener
    assert cell.alb_name.endswith(f".{EAST_2}.elb.amazonaws.com")


def test_each_kind_of_load_balancer_has_the_hosted_zone_of_its_region(world: World, cell: Cell) -> None:
    found = world.client("elbv2", EAST_2).describe_load_balancers(LoadBalancerArns=[cell.alb, cell.nlb])
    zones = {one["Type"]: one["CanonicalHostedZoneId"] for one in found["LoadBalancers"]}

    assert zones == {"application": "Z3AADJGX6KTTL2", "network": "ZLMOA37VPKANP"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"Protocol": "TCP", "Port": 80}, (True, "TCP", 30, 10, 5, 2)),
        ({"Protocol": "TCP", "Port": 80, "HealthCheckProtocol": "HTTP"}, (True, "HTTP", 30, 6, 5, 2)),
        ({"Protocol": "HTTP", "Port": 80}, (True, "HTTP", 30, 5, 5, 2)),
        ({"TargetType": "lambda"}, (False, "HTTP", 35, 30, 5, 5)),
        ({"Protocol": "HTTP", "Port": 80, "HealthCheckTimeoutSeconds": 7}, (True, "HTTP", 30, 7, 5, 2)),
    ],
)
def test_a_target_group_gets_the_defaults_of_its_kind(
    world: World, settings: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    given = settings if "TargetType" in settings else {"VpcId": "vpc-1", "TargetType": "ip", **settings}
    made = world.client("elbv2").create_target_group(Name=f"tg-{uuid.uuid4().hex[:10]}", **given)["TargetGroups"][0]

    assert expected == (
        made["HealthCheckEnabled"],
        made["HealthCheckProtocol"],
        made["HealthCheckIntervalSeconds"],
        made["HealthCheckTimeoutSeconds"],
        made["HealthyThresholdCount"],
        made["UnhealthyThresholdCount"],
    )


def test_a_request_is_dispatched_in_the_region_of_its_load_balancer(cell: Cell) -> None:
    record = next(found for found in emulator.elb.load_balancer_records() if found["LoadBalancerArn"] == cell.alb)

    async def dispatch() -> emulator.elb.DispatchedAnswer:
        return await emulator.elb.dispatch_to_application_load_balancer(
            record,
            method="GET",
            path="/",
            raw_path="/",
            headers={},
            body=b"",
            query={},
            raw_query="",
            port=443,
            client="127.0.0.1",
        )

    status, headers, body = asyncio.run(dispatch())

    assert (status, body) == (200, EAST_2.encode())
    assert headers["Server"] == "awselb/2.0"


def test_a_lambda_target_is_invoked_with_the_health_check_event_of_aws(world: World) -> None:
    code = (
        "def handler(event, _):\n"
        "    agent = event['headers'] == {'user-agent': 'ELB-HealthChecker/2.0'}\n"
        "    shape = (event['httpMethod'], event['path'], event['body'], event['queryStringParameters'])\n"
        "    return {'statusCode': 204 if agent and shape == ('GET', '/ready', '', {}) else 400}\n"
    )
    function = world.client("lambda", EAST_2).create_function(
        FunctionName=f"f-{uuid.uuid4().hex[:10]}",
        Runtime="python3.11",
        Handler="index.handler",
        Role=f"arn:aws:iam::{world.account}:role/any",
        Code={"ZipFile": zipped(code)},
    )["FunctionArn"]
    group = f"arn:aws:elasticloadbalancing:{EAST_2}:{world.account}:targetgroup/x/0123456789abcdef"

    assert asyncio.run(emulator.elb.invoke_lambda_target(function, group, "/ready", "ELB-HealthChecker/2.0")) == 204


def test_an_imported_certificate_comes_with_its_key_and_hides_it(world: World) -> None:
    certificate, key = world.certificate
    material = emulator.acm.certificate_material(world.import_certificate(EAST_2))

    assert material is not None
    assert (material.certificate.encode(), material.private_key.encode()) == (certificate, key)
    assert "PRIVATE KEY" not in repr(material)
    requested = world.client("acm").request_certificate(DomainName="x.test")["CertificateArn"]
    without_key = emulator.acm.certificate_material(requested)
    assert without_key is not None
    assert without_key.private_key == ""
    assert emulator.acm.certificate_material(f"{requested}0") is None


def test_zones_records_and_health_checks_are_seen(world: World) -> None:
    client = world.client("route53")
    zone = client.create_hosted_zone(Name="hooks.example.com", CallerReference=uuid.uuid4().hex)["HostedZone"]["Id"]
    identity = client.create_health_check(
        CallerReference=uuid.uuid4().hex,
        HealthCheckConfig={"Type": "CALCULATED", "HealthThreshold": 1, "ChildHealthChecks": ["one", "two"]},
    )["HealthCheck"]["Id"]
    record = next(found for found in emulator.route53.hosted_zone_records() if found["name"] == "hooks.example.com.")

    assert zone.endswith(record["id"])
    assert {found["Type"] for found in emulator.route53.record_sets()[record["id"]]} == {"SOA", "NS"}
    account, found = next(entry for entry in emulator.route53.health_check_records() if entry[1]["id"] == identity)
    assert (account, found["config"]["ChildHealthChecks"]) == (world.account, ["one", "two"])
    read = client.get_health_check(HealthCheckId=identity)["HealthCheck"]["HealthCheckConfig"]
    assert read["ChildHealthChecks"] == ["one", "two"]


def test_a_custom_domain_leads_to_the_api_of_the_region_it_is_asked_for(world: World) -> None:
    for region in (EAST_1, EAST_2):
        client = world.client("apigateway", region)
        client.create_domain_name(domainName="pay.example.com", endpointConfiguration={"types": ["REGIONAL"]})
        for base in ("", "v2"):
            client.create_base_path_mapping(
                domainName="pay.example.com", restApiId=f"{region}{base}", stage="prod", basePath=base or "(none)"
            )

    assert emulator.route53.is_api_name("pay.example.com", EAST_2)
    assert not emulator.route53.is_api_name("pay.example.com", "eu-west-1")
    assert emulator.route53.execute_api_of_domain(EAST_2, "pay.example.com", "/health") == (EAST_2, "prod", "/health")
    assert emulator.route53.execute_api_of_domain(EAST_1, "pay.example.com", "/v2/x") == (f"{EAST_1}v2", "prod", "/x")
    assert emulator.route53.execute_api_of_domain("eu-west-1", "pay.example.com", "/") is None


def test_an_alarms_state_is_read_in_its_region(world: World) -> None:
    client = world.client("cloudwatch", EAST_2)
    client.put_metric_alarm(
        AlarmName="hooks",
        Namespace="App",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    client.set_alarm_state(AlarmName="hooks", StateValue="ALARM", StateReason="test")
    client.put_composite_alarm(AlarmName="composite", AlarmRule="ALARM(hooks)")

    assert emulator.route53.alarm_state(world.account, EAST_2, "hooks") == "ALARM"
    assert emulator.route53.alarm_state(world.account, EAST_2, "composite") in ("ALARM", "OK", "INSUFFICIENT_DATA")
    assert emulator.route53.alarm_state(world.account, EAST_1, "hooks") is None


def test_an_answer_that_is_streamed_comes_in_full(world: World) -> None:
    """A target's answer passes through the load balancer chunk by chunk."""
    import http.client
    import http.server
    import threading

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(300_000))
            self.end_headers()
            self.wfile.write(b"x" * (300_000 if self.path != "/broken" else 100_000))
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Keeps the test's output clean."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    elb = world.client("elbv2")
    group = elb.create_target_group(
        Name=f"tg-{uuid.uuid4().hex[:10]}", Protocol="HTTP", Port=80, VpcId="vpc-1", TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": server.server_port}])
    balancer = elb.create_load_balancer(Name=f"lb-{uuid.uuid4().hex[:10]}")["LoadBalancers"][0]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Port=80,
        Protocol="HTTP",
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    host, port = world.address(balancer["DNSName"], 80)

    def get(path: str) -> int:
        connection = http.client.HTTPConnection(host, port, timeout=5)
        connection.request("GET", path)
        return len(connection.getresponse().read())

    try:
        assert get("/") == 300_000
        with pytest.raises(http.client.IncompleteRead):
            get("/broken")
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.usefixtures("cell")
def test_a_reset_forgets_every_region(world: World) -> None:
    assert eventually(lambda: world.traffic.addresses())
    emulator.requests.reset_emulator()

    assert emulator.elb.load_balancer_records() == []
    assert eventually(lambda: world.traffic.addresses() == {})


@pytest.mark.usefixtures("world")
def test_the_emulators_loop_is_the_one_that_serves() -> None:
    assert emulator.requests.main_loop().is_running()


def test_a_fixed_response_is_the_emulators_own(world: World, cell: Cell) -> None:
    world.client("elbv2", EAST_2).modify_listener(
        ListenerArn=cell.alb_listener, DefaultActions=[fixed_response(418, "teapot")]
    )

    assert world.get(world.address(cell.alb_name)) == (418, "teapot")
