"""CloudWatch metrics by the region that publishes them, and their dimensions.

An alarm evaluates metrics of its own region only [CW-1]: one in another region would never change its state.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from policy.rules.rows import Row, Rows, of_type, values_at

CLUSTER = "aws:rds/cluster:Cluster"
TABLE = "aws:dynamodb/table:Table"
REPLICATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
VAULT = "aws:backup/vault:Vault"
FUNCTION = "aws:lambda/function:Function"
QUEUE = "aws:sqs/queue:Queue"
API = "aws:apigateway/restApi:RestApi"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
TARGETS = "aws:lb/targetGroup:TargetGroup"
CHECK = "aws:route53/healthCheck:HealthCheck"
MACHINE = "aws:sfn/stateMachine:StateMachine"
CERTIFICATE = "aws:acm/certificate:Certificate"

Regions = Callable[[Mapping[str, str], Rows], set[str]]
"""The regions that publish a metric with these dimensions; none if they name an unregistered resource."""


@dataclass(frozen=True)
class Metric:
    dimensions: frozenset[str]
    regions: Regions
    source: str  # ids of docs/references.md, in square brackets


def _named(token: str, output: str, dimension: str) -> Regions:
    """The region of the resource that the dimension names."""
    return lambda given, rows: {
        row["region"] for row in of_type(rows, token) if row["outputs"].get(output) == given.get(dimension)
    }


def _stage(given: Mapping[str, str], rows: Rows) -> set[str]:
    apis = [row for row in of_type(rows, API) if row["outputs"]["name"] == given.get("ApiName")]
    stages = of_type(rows, "aws:apigateway/stage:Stage")
    return {
        api["region"]
        for api in apis
        for stage in stages
        if (stage["inputs"]["restApi"], stage["inputs"]["stageName"]) == (api["outputs"]["id"], given.get("Stage"))
    }


def _target_group(given: Mapping[str, str], rows: Rows) -> set[str]:
    groups = _named(TARGETS, "arnSuffix", "TargetGroup")(given, rows)
    return groups & _named(BALANCER, "arnSuffix", "LoadBalancer")(given, rows)


def _health_check(given: Mapping[str, str], rows: Rows) -> set[str]:
    return {"us-east-1"} if _named(CHECK, "id", "HealthCheckId")(given, rows) else set()


def _source_regions(given: Mapping[str, str], rows: Rows) -> set[str]:
    for row in of_type(rows, TABLE):
        regions = {row["region"], *(each.value for each in values_at(row, "replicas.regionName"))}
        if row["outputs"]["name"] == given.get("TableName") and given.get("ReceivingRegion") in regions:
            return {str(region) for region in regions - {given["ReceivingRegion"]}}
    return set()


def _rule(end: str) -> Regions:
    """The region of the source or destination bucket of a replication rule."""

    def regions(given: Mapping[str, str], rows: Rows) -> set[str]:
        arns = {row["outputs"]["bucket"]: row["outputs"]["arn"] for row in of_type(rows, "aws:s3/bucket:Bucket")}
        rules = [
            (row["inputs"]["bucket"], rule["id"], rule["destination"]["bucket"])
            for row in of_type(rows, REPLICATION)
            for rule in row["inputs"]["rules"]
        ]
        there = arns.get(given.get("DestinationBucket", ""))
        if (given.get("SourceBucket"), given.get("RuleId"), there) not in rules:
            return set()
        return _named("aws:s3/bucket:Bucket", "bucket", end)(given, rows)

    return regions


def _vault_regions(given: Mapping[str, str], rows: Rows) -> set[str]:
    """The regions of both vaults: which one publishes copy jobs is not documented."""
    named = _named(VAULT, "name", "BackupVaultName")(given, rows)
    return {row["region"] for row in of_type(rows, VAULT)} if named else set()


def _bus_regions(given: Mapping[str, str], rows: Rows) -> set[str]:  # noqa: ARG001
    return {row["region"] for row in of_type(rows, "aws:cloudwatch/eventBus:EventBus")}


def _publishing_functions(given: Mapping[str, str], rows: Rows) -> set[str]:
    """The regions of the function whose name in the catalogue its metrics have as their dimension `service`, with
    hyphens."""
    name = f"{given.get('service', '').replace('-', '_')}-function"
    return {row["region"] for row in of_type(rows, FUNCTION) if row["name"] == name}


OWN = "METRICS_NAMESPACE"
"""In METRICS, the namespace that the functions have in this variable."""
_LAMBDA = Metric(frozenset({"FunctionName"}), _named(FUNCTION, "name", "FunctionName"), "[LAMBDA-8]")
_API = Metric(frozenset({"ApiName", "Stage"}), _stage, "[APIGW-8]")
_BACKUP = Metric(frozenset({"BackupVaultName"}), _named(VAULT, "name", "BackupVaultName"), "[BACKUP-1]")
_RULE = frozenset({"SourceBucket", "DestinationBucket", "RuleId"})
_S3 = "[S3-11]"

METRICS: Mapping[tuple[str, str], Metric] = {
    **{
        ("AWS/Lambda", name): _LAMBDA
        for name in ("Errors", "Throttles", "Duration", "DeadLetterErrors", "Invocations", "IteratorAge")
    },
    **{
        ("AWS/States", f"Executions{how}"): Metric(
            frozenset({"StateMachineArn"}),
            _named(MACHINE, "arn", "StateMachineArn"),
            "[SFN-1]",
        )
        for how in ("Failed", "TimedOut", "Aborted")
    },
    **{
        ("AWS/SQS", f"Approximate{what}"): Metric(
            frozenset({"QueueName"}),
            _named(QUEUE, "name", "QueueName"),
            "[SQS-1]",
        )
        for what in ("NumberOfMessagesVisible", "AgeOfOldestMessage")
    },
    ("AWS/ApiGateway", "5XXError"): _API,
    ("AWS/ApiGateway", "Latency"): _API,
    ("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count"): Metric(
        frozenset({"LoadBalancer"}),
        _named(BALANCER, "arnSuffix", "LoadBalancer"),
        "[ALB-5]",
    ),
    ("AWS/NetworkELB", "UnHealthyHostCount"): Metric(
        frozenset({"LoadBalancer", "TargetGroup"}), _target_group, "[NLB-5]"
    ),
    ("AWS/Route53", "HealthCheckStatus"): Metric(frozenset({"HealthCheckId"}), _health_check, "[R53-4]"),
    ("AWS/CertificateManager", "DaysToExpiry"): Metric(
        frozenset({"CertificateArn"}),
        _named(CERTIFICATE, "arn", "CertificateArn"),
        "[ACM-4]",
    ),
    ("AWS/RDS", "AuroraGlobalDBRPOLag"): Metric(
        # Published while the member is the reader [AURORA-16].
        frozenset({"DBClusterIdentifier"}),
        _named(CLUSTER, "clusterIdentifier", "DBClusterIdentifier"),
        "[AURORA-16]",
    ),
    ("AWS/DynamoDB", "ReplicationLatency"): Metric(
        frozenset({"TableName", "ReceivingRegion"}), _source_regions, "[DYNAMODB-1]"
    ),
    ("AWS/S3", "ReplicationLatency"): Metric(_RULE, _rule("DestinationBucket"), _S3),
    ("AWS/S3", "OperationsFailedReplication"): Metric(_RULE, _rule("SourceBucket"), _S3),
    **{
        ("AWS/Backup", f"NumberOf{jobs}"): _BACKUP
        for jobs in ("BackupJobsFailed", "BackupJobsExpired", "BackupJobsCompleted", "RestoreJobsFailed")
    },
    ("AWS/Backup", "NumberOfCopyJobsFailed"): Metric(
        frozenset({"BackupVaultName"}), _vault_regions, "[BACKUP-1], region undocumented"
    ),
    **{
        (OWN, what): Metric(frozenset({"service"}), _publishing_functions, "[CW-7]")
        for what in (
            "AuditDiffering",
            "AuditMissing",
            "BacklogOldestSeconds",
            "JournalReplicationProblems",
            "ParameterDeletionsWithheld",
            "PeerUnableToTakeOver",
            "SweepsFailed",
            "UnannouncedOldestSeconds",
        )
    },
    ("AWS/Events", "IngestionToInvocationStartLatency"): Metric(frozenset(), _bus_regions, "[EVENTS-7]"),
}
# Metrics of AWS/GlobalAccelerator are in us-west-2 [GA-6], where the environment has no topic for alarms: they are on
# the dashboard only.


def published_namespace(namespace: str, rows: Rows) -> str:
    """As METRICS names it."""
    own = {each.value for row in of_type(rows, FUNCTION) for each in values_at(row, f"environment.variables.{OWN}")}
    return OWN if namespace in own else namespace


def metric_regions(alarm: Row, rows: Rows) -> set[str] | None:
    """The regions that publish the alarm's metric; None for a metric that nothing publishes by these dimensions."""
    given = alarm["inputs"]
    metric = METRICS.get((published_namespace(given.get("namespace", ""), rows), given.get("metricName", "")))
    dimensions = given.get("dimensions") or {}
    if metric is None or set(dimensions) != metric.dimensions:
        return None
    return metric.regions(dimensions, rows)
