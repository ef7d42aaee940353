"""What costs where something is kept, told or watched."""

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

from ops import cost_load
from ops.cost_load import ACCESS_LOG_KB, FLOW_LOG_KB, HOURS, KB_IN_GB
from ops.cost_model import Pricer, Use
from ops.cost_scene import Scene, times
from ops.registered import Row, of_type

CLUSTER = "aws:rds/cluster:Cluster"
ENDPOINT = "aws:cloudwatch/eventEndpoint:EventEndpoint"
REPLICATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"


def table(row: Row, scene: Scene) -> Iterator[Use]:
    load, given = scene.load, row["inputs"]
    regions = 1 + len(given.get("replicas", []))
    size = ceil(load.request_kb / 2)
    yield Use("table-write", load.payments * cost_load.TABLE_WRITES * size, fixed=False)
    yield Use("table-read", load.payments * load.reads_per_payment * cost_load.TABLE_READS, fixed=False)
    yield Use("table-storage", load.journal_gb * regions, fixed=False)
    if (given.get("pointInTimeRecovery") or {}).get("enabled"):
        yield Use("table-recovery", load.journal_gb * regions, fixed=False)


def cluster(row: Row, scene: Scene) -> Iterator[Use]:
    load = scene.load
    yield Use("aurora-storage", load.database_gb, fixed=False)
    if _writes(row["inputs"]):
        yield Use("aurora-io", load.payments * cost_load.DATABASE_IO, fixed=False)
    else:
        yield Use("aurora-replicated-write", load.payments * cost_load.REPLICATED_IO, fixed=False)


def _writes(cluster_inputs: Mapping[str, Any]) -> bool:
    """Only the first member, the writer until a failover, is made with credentials [AURORA-6]."""
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
        yield Use("bucket-put", 12 * HOURS * 2)  # a load balancer writes a log every five minutes and node


def replication(row: Row, scene: Scene) -> Iterator[Use]:
    """A tenth of what is stored changes in a month."""
    changed = scene.load.bucket_gb / 10 * scene.share(row)
    yield Use("between-regions", changed, fixed=False)
    if any((rule["destination"].get("replicationTime") or {}) for rule in row["inputs"].get("rules", [])):
        yield Use("bucket-time-control", changed, fixed=False)


def plan(row: Row, scene: Scene) -> Iterator[Use]:
    """One full copy of everything in each vault; later ones are increments."""
    load = scene.load
    vaults = max((1 + len(rule.get("copyActions", [])) for rule in row["inputs"].get("rules", [])), default=0)
    yield Use("vault-bucket", load.bucket_gb * vaults, fixed=False)
    yield Use("vault-table", load.journal_gb * vaults, fixed=False)
    yield Use("aurora-backup", load.database_gb * vaults, fixed=False)
    yield Use("between-regions", (load.bucket_gb + load.journal_gb) / 10 * (vaults - 1), fixed=False)


def key(row: Row, scene: Scene) -> Iterator[Use]:
    yield Use("key-month", 1)
    yield Use("key-request", scene.requests(row, api=False) / 20, fixed=False)  # services keep data keys for a while


def secret(row: Row, scene: Scene) -> Iterator[Use]:  # noqa: ARG001
    yield Use("secret-month", 1 + len(row["inputs"].get("replicas", [])))


def queue(row: Row, scene: Scene) -> Iterator[Use]:  # noqa: ARG001
    yield Use("queue-request", scene.load.failovers * 100, fixed=False)


def topic(row: Row, scene: Scene) -> Iterator[Use]:  # noqa: ARG001
    yield Use("topic-request", scene.load.failovers * 100, fixed=False)


def bus(row: Row, scene: Scene) -> Iterator[Use]:  # noqa: ARG001
    """The ledger tells of each payment; an endpoint that replicates tells both buses."""
    if scene.reads_streams():
        buses = 2 if of_type(scene.rows, ENDPOINT) else 1
        yield Use("event", scene.load.payments * buses / 2, fixed=False)


def schedule(row: Row, scene: Scene) -> Iterator[Use]:  # noqa: ARG001
    yield Use("schedule-invocation", times(row["inputs"].get("scheduleExpression", "")))


def state_machine(row: Row, scene: Scene) -> Iterator[Use]:
    machines = len(of_type(scene.rows, row["type"]))
    yield Use("transition", scene.load.failovers * cost_load.TRANSITIONS / machines, fixed=False)


def region_switch(row: Row, scene: Scene) -> Iterator[Use]:  # noqa: ARG001
    yield Use("region-switch-plan-month", 1)


def alarm(row: Row, scene: Scene) -> Iterator[Use]:  # noqa: ARG001
    yield Use("alarm-month", 1)


def composite_alarm(row: Row, scene: Scene) -> Iterator[Use]:  # noqa: ARG001
    yield Use("composite-alarm-month", 1)


def dashboard(row: Row, scene: Scene) -> Iterator[Use]:  # noqa: ARG001
    yield Use("dashboard-month", 1)


def log_group(row: Row, scene: Scene) -> Iterator[Use]:
    use, fixed = (size / KB_IN_GB for size in _logged(row, scene))
    kept = float(row["inputs"].get("retentionInDays") or 365) / 30
    yield Use("log-ingest", use, fixed=False)
    yield Use("log-ingest", fixed)
    yield Use("log-storage", use * kept, fixed=False)
    yield Use("log-storage", fixed * kept)


def _logged(row: Row, scene: Scene) -> tuple[float, float]:
    """Kilobytes a month, by the load and whatever it is."""
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
        return use * scene.load.log_kb, fixed * scene.load.log_kb / 2  # a probe says less
    if name.startswith("/aws/apigateway/"):
        return scene.requests(row, api=True) * ACCESS_LOG_KB, scene.probes(row, api=True) * ACCESS_LOG_KB
    if "flow-logs" in name:
        probes = scene.probes(row, api=False) + scene.target_probes(row)
        return scene.requests(row, api=False) * FLOW_LOG_KB, probes * FLOW_LOG_KB
    return 0.0, 0.0


PRICERS: Mapping[str, Pricer] = {
    "aws:dynamodb/table:Table": table,
    CLUSTER: cluster,
    "aws:rds/clusterInstance:ClusterInstance": instance,
    "aws:s3/bucket:Bucket": bucket,
    REPLICATION: replication,
    "aws:backup/plan:Plan": plan,
    "aws:kms/key:Key": key,
    "aws:secretsmanager/secret:Secret": secret,
    "aws:sqs/queue:Queue": queue,
    "aws:sns/topic:Topic": topic,
    "aws:cloudwatch/eventBus:EventBus": bus,
    "aws:scheduler/schedule:Schedule": schedule,
    "aws:sfn/stateMachine:StateMachine": state_machine,
    "aws:arcregionswitch/plan:Plan": region_switch,
    "aws:cloudwatch/metricAlarm:MetricAlarm": alarm,
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": composite_alarm,
    "aws:cloudwatch/dashboard:Dashboard": dashboard,
    "aws:cloudwatch/logGroup:LogGroup": log_group,
}
