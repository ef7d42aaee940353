"""What costs on the way of a request: the accelerator, names, load balancers, APIs, firewalls, functions, networks."""

from collections.abc import Iterator, Mapping

from ops.cost_load import CALLS_KB, HOURS, KB_IN_GB, POLLS, SAMPLED, SECONDS
from ops.cost_model import Pricer, Use
from ops.cost_scene import BALANCER, Scene
from ops.registered import Row, of_type

# A load balancer capacity unit holds this much in an hour, and so many new connections a second (ELB pricing page).
_ALB_GB = 0.4  # to functions
_ALB_CONNECTIONS = 25
_NLB_GB = 1.0
_CAPACITY = {"application": ("alb", _ALB_GB), "network": ("nlb", _NLB_GB)}
_OPTIONS = ("HTTPS", "HTTPS_STR_MATCH")


def accelerator(row: Row, scene: Scene) -> Iterator[Use]:  # noqa: ARG001
    yield Use("accelerator-hour", HOURS)
    data = scene.load.requests * (1 - scene.load.api_share) * scene.load.request_kb / KB_IN_GB
    yield Use("accelerator-data", data, fixed=False)


def health_check(row: Row, scene: Scene) -> Iterator[Use]:  # noqa: ARG001
    given = row["inputs"]
    options = sum(
        (
            given.get("type") in _OPTIONS,
            given.get("requestInterval") == 10,
            "STR_MATCH" in str(given.get("type")),
            bool(given.get("measureLatency")),
        )
    )
    yield Use("health-check-month", 1)
    yield Use("health-check-option-month", options)


def zone(row: Row, scene: Scene) -> Iterator[Use]:
    yield Use("zone-month", 1)
    if not row["inputs"].get("vpcs"):
        yield Use("query", scene.load.requests / 100, fixed=False)  # resolvers keep an answer for a while


def balancer(row: Row, scene: Scene) -> Iterator[Use]:
    kind, gigabytes = _CAPACITY[row["inputs"].get("loadBalancerType", "application")]
    yield Use(f"{kind}-hour", HOURS)
    if not row["inputs"].get("internal"):
        yield Use("public-ipv4-hour", HOURS * len(row["inputs"].get("subnets", [])))
    requests = scene.requests(row, api=False)
    by_size = requests * scene.load.request_kb / KB_IN_GB / gigabytes
    by_number = requests / SECONDS / _ALB_CONNECTIONS * HOURS if kind == "alb" else 0.0
    yield Use(f"{kind}-lcu-hour", max(by_size, by_number), fixed=False)
    probes = (scene.probes(row, api=False) + scene.target_probes(row)) / KB_IN_GB / gigabytes
    yield Use(f"{kind}-lcu-hour", probes)
    if kind == "nlb":
        yield Use("internet-out", requests * scene.load.request_kb / 2 / KB_IN_GB, fixed=False)


def api(row: Row, scene: Scene) -> Iterator[Use]:
    yield Use("api-request", scene.requests(row, api=True), fixed=False)
    yield Use("api-request", scene.probes(row, api=True))


def firewall(row: Row, scene: Scene) -> Iterator[Use]:
    yield Use("firewall-acl-month", 1)
    yield Use("firewall-rule-month", len(row["inputs"].get("rules", [])))
    at_api = not _guards_a_balancer(row, scene)
    yield Use("firewall-request", scene.requests(row, api=at_api), fixed=False)
    yield Use("firewall-request", scene.probes(row, api=at_api) + (0 if at_api else scene.target_probes(row)))


def _guards_a_balancer(row: Row, scene: Scene) -> bool:
    balancers = {each["outputs"].get("arn") for each in of_type(scene.rows, BALANCER)}
    return any(
        each["inputs"].get("webAclArn") == row["outputs"].get("arn") and each["inputs"].get("resourceArn") in balancers
        for each in of_type(scene.rows, "aws:wafv2/webAclAssociation:WebAclAssociation")
    )


def function(row: Row, scene: Scene) -> Iterator[Use]:
    use, fixed = scene.invocations(row)
    memory = row["inputs"].get("memorySize", 128) / 1024
    scheduled = scene.runs(row)
    lasting = min(float(row["inputs"].get("timeout", 3)), 60.0)  # of a scheduled run, at the worst
    usual = scene.load.function_ms / 1000
    yield Use("lambda-request", use, fixed=False)
    yield Use("lambda-gb-second", use * usual * memory, fixed=False)
    yield Use("lambda-request", fixed)
    yield Use("lambda-gb-second", ((fixed - scheduled) * usual + scheduled * lasting) * memory)
    if (row["inputs"].get("tracingConfig") or {}).get("mode") == "Active":
        yield Use("trace", _traces(fixed))
        yield Use("trace", _traces(fixed + use) - _traces(fixed), fixed=False)


def _traces(invocations: float) -> float:
    first = min(invocations, SECONDS)
    return first + (invocations - first) * SAMPLED


def nat_gateway(row: Row, scene: Scene) -> Iterator[Use]:
    yield Use("nat-gateway-hour", HOURS)
    gateways = [each for each in of_type(scene.rows, row["type"]) if each["region"] == row["region"]]
    calls = scene.requests(row, api=False) + scene.requests(row, api=True)
    yield Use("nat-gateway-data", calls * CALLS_KB / KB_IN_GB / len(gateways), fixed=False)


def address(row: Row, scene: Scene) -> Iterator[Use]:  # noqa: ARG001
    yield Use("public-ipv4-hour", HOURS)


def endpoint(row: Row, scene: Scene) -> Iterator[Use]:
    if row["inputs"].get("vpcEndpointType") != "Interface":
        return  # gateways are free
    yield Use("interface-endpoint-hour", HOURS * max(len(row["inputs"].get("subnetIds", [])), 1))
    yield Use("interface-endpoint-data", scene.requests(row, api=False) * CALLS_KB / KB_IN_GB / 4, fixed=False)


def peering(row: Row, scene: Scene) -> Iterator[Use]:  # noqa: ARG001
    yield Use("between-regions", scene.load.payments * CALLS_KB / KB_IN_GB, fixed=False)


def source_mapping(row: Row, scene: Scene) -> Iterator[Use]:  # noqa: ARG001
    """Reading a table's stream is free for Lambda; asking a queue is not."""
    if ":sqs:" in str(row["inputs"].get("eventSourceArn")):
        yield Use("queue-request", POLLS)


PRICERS: Mapping[str, Pricer] = {
    "aws:globalaccelerator/accelerator:Accelerator": accelerator,
    "aws:route53/healthCheck:HealthCheck": health_check,
    "aws:route53/zone:Zone": zone,
    BALANCER: balancer,
    "aws:apigateway/restApi:RestApi": api,
    "aws:wafv2/webAcl:WebAcl": firewall,
    "aws:lambda/function:Function": function,
    "aws:lambda/eventSourceMapping:EventSourceMapping": source_mapping,
    "aws:ec2/natGateway:NatGateway": nat_gateway,
    "aws:ec2/eip:Eip": address,
    "aws:ec2/vpcEndpoint:VpcEndpoint": endpoint,
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": peering,
}
