"""One pricer per resource type: the units that a resource uses in a month, fixed and by load."""

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

from ops.cost import model
from ops.cost.model import (
    ACCESS_LOG_KB,
    BALANCER,
    CALLS_KB,
    FLOW_LOG_KB,
    HOURS,
    KB_IN_GB,
    POLLS,
    SAMPLED,
    SECONDS,
    Pricer,
    Scene,
    Use,
    times,
)
from ops.environment.resource_graph import Row, of_type


def _monthly(price: str, quantity: float = 1.0) -> Pricer:
    """A fixed quantity, whatever the inputs."""
    return lambda _row, _scene: [Use(price, quantity)]


CLUSTER = "aws:rds/cluster:Cluster"
ENDPOINT = "aws:cloudwatch/eventEndpoint:EventEndpoint"
REPLICATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"


# Storage, messaging and monitoring.


def table(row: Row, scene: Scene) -> Iterator[Use]:
    load, given = scene.load, row["inputs"]
    if not given.get("replicas"):
        yield from _backlog(load)
        return
    regions = 1 + len(given["replicas"])
    size = ceil(load.request_kb / 2)
    yield Use("table-write", load.payments * model.TABLE_WRITES * size, fixed=False)
    yield Use("table-read", load.payments * load.reads_per_payment * model.TABLE_READS, fixed=False)
    yield Use("table-storage", load.journal_gb * regions, fixed=False)
    if (given.get("pointInTimeRecovery") or {}).get("enabled"):
        yield Use("table-recovery", load.journal_gb * regions, fixed=False)


def _backlog(load: model.Load) -> Iterator[Use]:
    """One of the two regions' backlogs; only the reader's is written, so each has half the cost of one."""
    batch = min(model.BATCH, max(1.0, load.payments_per_second * model.BATCH_SECONDS))
    yield Use("table-write", load.payments / batch * 2 * ceil(batch * model.ID_KB) / 2, fixed=False)


def cluster(row: Row, scene: Scene) -> Iterator[Use]:
    load = scene.load
    yield Use("aurora-storage", load.database_gb, fixed=False)
    if _writes(row["inputs"]):
        yield Use("aurora-io", load.payments * model.DATABASE_IO, fixed=False)
    else:
        yield Use("aurora-replicated-write", load.payments * model.REPLICATED_IO, fixed=False)


def _writes(cluster_inputs: Mapping[str, Any]) -> bool:
    """Only the first member, the writer until a failover, is created with credentials [AURORA-6]."""
    return bool(cluster_inputs.get("masterUsername"))


def instance(row: Row, scene: Scene) -> Iterator[Use]:
    kind = row["inputs"].get("instanceClass")
    if kind != "db.serverless":
        yield Use(f"aurora-{kind}-hour", HOURS)
        return
    mine = [
        each
        for each in of_type(scene.rows, CLUSTER)
        if each["inputs"].get("clusterIdentifier") == row["inputs"].get("clusterIdentifier")
    ]
    given = mine[0]["inputs"] if mine else {}
    least = float((given.get("serverlessv2ScalingConfiguration") or {}).get("minCapacity", 0.5))
    yield Use("aurora-acu-hour", HOURS * least)
    if _writes(given):
        yield Use("aurora-acu-hour", HOURS * max(scene.load.database_acu - least, 0), fixed=False)


def bucket(row: Row, scene: Scene) -> Iterator[Use]:
    sources = {each["inputs"].get("bucket") for each in of_type(scene.rows, REPLICATION)}
    if row["outputs"].get("bucket") in sources:
        yield Use("bucket-storage", scene.load.bucket_gb, fixed=False)
    else:
        yield Use("bucket-storage", scene.requests(row, api=False) * ACCESS_LOG_KB / KB_IN_GB, fixed=False)
        yield Use("bucket-put", 12 * HOURS * 2)  # a load balancer writes one log per node every five minutes


def replication(row: Row, scene: Scene) -> Iterator[Use]:
    """A tenth of the stored data changes in a month."""
    changed = scene.load.bucket_gb / 10 * scene.share(row)
    yield Use("between-regions", changed, fixed=False)
    if any((rule["destination"].get("replicationTime") or {}) for rule in row["inputs"].get("rules", [])):
        yield Use("bucket-time-control", changed, fixed=False)


def plan(row: Row, scene: Scene) -> Iterator[Use]:
    """One full copy of the data in each vault; later ones are increments."""
    load = scene.load
    vaults = max((1 + len(rule.get("copyActions", [])) for rule in row["inputs"].get("rules", [])), default=0)
    yield Use("vault-bucket", load.bucket_gb * vaults, fixed=False)
    yield Use("vault-table", load.journal_gb * vaults, fixed=False)
    yield Use("aurora-backup", load.database_gb * vaults, fixed=False)
    yield Use("between-regions", (load.bucket_gb + load.journal_gb) / 10 * (vaults - 1), fixed=False)


def key(row: Row, scene: Scene) -> Iterator[Use]:
    yield Use("key-month", 1)
    yield Use("key-request", scene.requests(row, api=False) / 20, fixed=False)  # services cache data keys


def _per_failover(price: str) -> Pricer:
    return lambda _row, scene: [Use(price, scene.load.failovers * 100, fixed=False)]


def bus(row: Row, scene: Scene) -> Iterator[Use]:  # noqa: ARG001
    """The ledger publishes an event per payment; a replicating endpoint, to both buses."""
    if scene.reads_streams():
        buses = 2 if of_type(scene.rows, ENDPOINT) else 1
        yield Use("event", scene.load.payments * buses / 2, fixed=False)


def state_machine(row: Row, scene: Scene) -> Iterator[Use]:
    machines = len(of_type(scene.rows, row["type"]))
    yield Use("transition", scene.load.failovers * model.TRANSITIONS / machines, fixed=False)


def log_group(row: Row, scene: Scene) -> Iterator[Use]:
    use, fixed = (size / KB_IN_GB for size in _logged(row, scene))
    kept = float(row["inputs"].get("retentionInDays") or 365) / 30
    yield Use("log-ingest", use, fixed=False)
    yield Use("log-ingest", fixed)
    yield Use("log-storage", use * kept, fixed=False)
    yield Use("log-storage", fixed * kept)


def _logged(row: Row, scene: Scene) -> tuple[float, float]:
    """Kilobytes a month: by load, and fixed."""
    name = str(row["inputs"].get("name", ""))
    if name.startswith("/aws/lambda/"):
        function = next(
            (
                each
                for each in of_type(scene.rows, "aws:lambda/function:Function")
                if name.endswith(f"/{each['outputs'].get('name')}")
            ),
            None,
        )
        use, fixed = scene.invocations(function) if function else (0.0, 0.0)
        return use * scene.load.log_kb, fixed * scene.load.log_kb / 2  # a probe logs less
    if name.startswith("/aws/apigateway/"):
        return scene.requests(row, api=True) * ACCESS_LOG_KB, scene.probes(row, api=True) * ACCESS_LOG_KB
    if "flow-logs" in name:
        probes = scene.probes(row, api=False) + scene.target_probes(row)
        return scene.requests(row, api=False) * FLOW_LOG_KB, probes * FLOW_LOG_KB
    return 0.0, 0.0


# The path of a request: accelerator, DNS, load balancers, APIs, web ACLs, functions, networks.


# What one load balancer capacity unit covers: gigabytes an hour and new connections a second (ELB pricing page).
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
        yield Use("query", scene.load.requests / 100, fixed=False)  # resolvers cache answers


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
    typical = scene.load.function_ms / 1000
    yield Use("lambda-request", use, fixed=False)
    yield Use("lambda-gb-second", use * typical * memory, fixed=False)
    yield Use("lambda-request", fixed)
    yield Use("lambda-gb-second", ((fixed - scheduled) * typical + scene.scheduled_seconds(row)) * memory)
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


def endpoint(row: Row, scene: Scene) -> Iterator[Use]:
    if row["inputs"].get("vpcEndpointType") != "Interface":
        return  # gateways are free
    yield Use("interface-endpoint-hour", HOURS * max(len(row["inputs"].get("subnetIds", [])), 1))
    yield Use("interface-endpoint-data", scene.requests(row, api=False) * CALLS_KB / KB_IN_GB / 4, fixed=False)


def source_mapping(row: Row, scene: Scene) -> Iterator[Use]:  # noqa: ARG001
    """Lambda reads a table's stream for free; polling a queue is not free."""
    if ":sqs:" in str(row["inputs"].get("eventSourceArn")):
        yield Use("queue-request", POLLS)


PRICERS: Mapping[str, Pricer] = {
    "aws:dynamodb/table:Table": table,
    CLUSTER: cluster,
    "aws:rds/clusterInstance:ClusterInstance": instance,
    "aws:s3/bucket:Bucket": bucket,
    REPLICATION: replication,
    "aws:backup/plan:Plan": plan,
    "aws:kms/key:Key": key,
    "aws:secretsmanager/secret:Secret": lambda row, _: [
        Use("secret-month", 1 + len(row["inputs"].get("replicas", [])))
    ],
    "aws:sqs/queue:Queue": _per_failover("queue-request"),
    "aws:sns/topic:Topic": _per_failover("topic-request"),
    "aws:cloudwatch/eventBus:EventBus": bus,
    "aws:scheduler/schedule:Schedule": lambda row, _: [
        Use("schedule-invocation", times(row["inputs"].get("scheduleExpression", "")))
    ],
    "aws:sfn/stateMachine:StateMachine": state_machine,
    "aws:arcregionswitch/plan:Plan": _monthly("region-switch-plan-month"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _monthly("alarm-month"),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": _monthly("composite-alarm-month"),
    "aws:cloudwatch/dashboard:Dashboard": _monthly("dashboard-month"),
    "aws:cloudwatch/logGroup:LogGroup": log_group,
    "aws:globalaccelerator/accelerator:Accelerator": accelerator,
    "aws:route53/healthCheck:HealthCheck": health_check,
    "aws:route53/zone:Zone": zone,
    BALANCER: balancer,
    "aws:apigateway/restApi:RestApi": api,
    "aws:wafv2/webAcl:WebAcl": firewall,
    "aws:lambda/function:Function": function,
    "aws:lambda/eventSourceMapping:EventSourceMapping": source_mapping,
    "aws:ec2/natGateway:NatGateway": nat_gateway,
    "aws:ec2/eip:Eip": _monthly("public-ipv4-hour", HOURS),
    "aws:ec2/vpcEndpoint:VpcEndpoint": endpoint,
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": lambda _, scene: [
        Use("between-regions", scene.load.payments * CALLS_KB / KB_IN_GB, fixed=False)
    ],
}
