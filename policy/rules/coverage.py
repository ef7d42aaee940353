"""An alarm for every metric that R10 requires, in the region where the metric is published (`metrics`)."""

from collections.abc import Iterator
from dataclasses import dataclass

from policy.rules import metrics
from policy.rules.alarms import ALARM
from policy.rules.rows import Row, Rows, label, listed, of_type, values_at

DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"


@dataclass(frozen=True)
class RequiredAlarm:
    """An alarm that R10 requires. It may have dimensions besides these."""

    row: Row  # the monitored resource
    why: str  # R10's name for it
    namespace: str
    metric: str
    region: str
    dimensions: dict[str, str]


def required_alarms(rows: Rows) -> list[RequiredAlarm]:
    """One entry for each metric that R10 names, of each registered resource."""
    return [*_ingress(rows), *_functions(rows), *_replication(rows), *_backups(rows)]


def _ingress(rows: Rows) -> Iterator[RequiredAlarm]:
    for row in of_type(rows, metrics.CHECK):
        # Calculated health checks follow these.
        if row["inputs"]["type"].startswith("HTTPS"):
            check = {"HealthCheckId": row["outputs"]["id"]}
            yield RequiredAlarm(row, "health checks", "AWS/Route53", "HealthCheckStatus", "us-east-1", check)
    for row in of_type(rows, metrics.API):
        api = {"ApiName": row["outputs"]["name"]}
        yield RequiredAlarm(row, "API 5XX", "AWS/ApiGateway", "5XXError", row["region"], api)
        yield RequiredAlarm(row, "API latency", "AWS/ApiGateway", "Latency", row["region"], api)
    for row in of_type(rows, metrics.TARGETS):
        if row["inputs"].get("targetType") == "alb":
            group = {"TargetGroup": row["outputs"]["arnSuffix"]}
            yield RequiredAlarm(
                row, "NLB unhealthy hosts", "AWS/NetworkELB", "UnHealthyHostCount", row["region"], group
            )
    for row in of_type(rows, metrics.CERTIFICATE):
        certificate = {"CertificateArn": row["outputs"]["arn"]}
        yield RequiredAlarm(
            row, "certificate expiry", "AWS/CertificateManager", "DaysToExpiry", row["region"], certificate
        )


def _functions(rows: Rows) -> Iterator[RequiredAlarm]:
    for row in of_type(rows, metrics.FUNCTION):
        for metric in ("Errors", "Throttles", "Duration"):
            function = {"FunctionName": row["outputs"]["name"]}
            yield RequiredAlarm(row, f"Lambda {metric.lower()}", "AWS/Lambda", metric, row["region"], function)
    for row in of_type(rows, metrics.QUEUE):
        if row["outputs"]["arn"] in dead_letter_queues(rows):
            queue = {"QueueName": row["outputs"]["name"]}
            depth = "ApproximateNumberOfMessagesVisible"
            yield RequiredAlarm(row, "dead-letter depth", "AWS/SQS", depth, row["region"], queue)


def dead_letter_queues(rows: Rows) -> set[str]:
    """ARNs of the dead-letter queues of functions, event buses and rule targets."""
    paths = {
        metrics.FUNCTION: "deadLetterConfig.targetArn",
        "aws:cloudwatch/eventBus:EventBus": "deadLetterConfig.arn",
        "aws:cloudwatch/eventTarget:EventTarget": "deadLetterConfig.arn",
    }
    found = [values_at(row, path)[0].value for token, path in paths.items() for row in of_type(rows, token)]
    return {arn for arn in found if arn}


def _replication(rows: Rows) -> Iterator[RequiredAlarm]:
    for row in of_type(rows, metrics.CLUSTER):
        # Every member can become the reader [AURORA-16].
        member = {"DBClusterIdentifier": row["outputs"]["clusterIdentifier"]}
        yield RequiredAlarm(row, "Aurora replication lag", "AWS/RDS", "AuroraGlobalDBRPOLag", row["region"], member)
    for row in of_type(rows, metrics.TABLE):
        regions = [row["region"], *(each.value for each in values_at(row, "replicas.regionName") if each.value)]
        for here, there in ((a, b) for a in regions for b in regions if a != b):
            pair = {"TableName": row["outputs"]["name"], "ReceivingRegion": there}
            yield RequiredAlarm(row, "DynamoDB replication lag", "AWS/DynamoDB", "ReplicationLatency", here, pair)
    buckets = {row["outputs"]["arn"]: row for row in of_type(rows, "aws:s3/bucket:Bucket")}
    for row in of_type(rows, metrics.REPLICATION):
        for each in listed(row["inputs"].get("rules")):
            rule = {"SourceBucket": row["inputs"]["bucket"], "RuleId": each["id"]}
            there = buckets[each["destination"]["bucket"]]["region"]
            yield RequiredAlarm(row, "S3 replication lag", "AWS/S3", "ReplicationLatency", there, rule)
            yield RequiredAlarm(
                row, "S3 replication failures", "AWS/S3", "OperationsFailedReplication", row["region"], rule
            )


def _backups(rows: Rows) -> Iterator[RequiredAlarm]:
    vaults = of_type(rows, metrics.VAULT)
    for row in vaults:
        vault = {"BackupVaultName": row["outputs"]["name"]}
        yield RequiredAlarm(row, "backup failures", "AWS/Backup", "NumberOfBackupJobsFailed", row["region"], vault)
    for plan in of_type(rows, "aws:backup/plan:Plan"):
        filled = {"BackupVaultName": str(values_at(plan, "rules.targetVaultName")[0].value)}
        yield RequiredAlarm(
            plan, "backup failures", "AWS/Backup", "NumberOfBackupJobsCompleted", plan["region"], filled
        )
        copies = {each.value for each in values_at(plan, "rules.copyActions.destinationVaultArn")}
        for row in (each for each in vaults if each["outputs"]["arn"] in copies):
            to = {"BackupVaultName": row["outputs"]["name"]}
            # Which of the two regions counts copy jobs is not documented [BACKUP-1].
            for region in (plan["region"], row["region"]):
                yield RequiredAlarm(row, "backup failures", "AWS/Backup", "NumberOfCopyJobsFailed", region, to)


def alarm_coverage(rows: Rows) -> list[str]:
    """Metrics that R10 requires an alarm for, without one in the right region."""
    alarms = [
        (row["region"], row["inputs"]["namespace"], row["inputs"]["metricName"], row["inputs"].get("dimensions") or {})
        for row in of_type(rows, ALARM)
    ]
    return [
        f"{label(each.row)} has no alarm on {each.why}; add one on {each.namespace} {each.metric} in {each.region}"
        for each in required_alarms(rows)
        if not any(
            alarm[:3] == (each.region, each.namespace, each.metric) and each.dimensions.items() <= alarm[3].items()
            for alarm in alarms
        )
    ]


def dashboard_per_region(rows: Rows) -> list[str]:
    """Stacks without a dashboard: one in each region, and one for both in `global`."""
    missing = {"primary", "secondary", "global"} - {row["stack"] for row in of_type(rows, DASHBOARD)}
    return [f"{stack} has no {DASHBOARD}; create one" for stack in sorted(missing)]
