"""Everything that R10 wants watched has its alarm, in the region where its metric is (`metrics`)."""

from collections.abc import Iterator
from dataclasses import dataclass

from policy.rules import metrics
from policy.rules.alarms import ALARM
from policy.rules.rows import Row, Rows, label, listed, look, of_type

DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"


@dataclass(frozen=True)
class Wanted:
    """An alarm there must be. Its dimensions must contain these."""

    row: Row  # what is watched
    why: str  # the words of R10
    namespace: str
    metric: str
    region: str
    dimensions: dict[str, str]


def wanted(rows: Rows) -> list[Wanted]:
    """R10, thing by thing."""
    return [*_front(rows), *_functions(rows), *_replication(rows), *_backups(rows)]


def _front(rows: Rows) -> Iterator[Wanted]:
    for row in of_type(rows, metrics.CHECK):
        # Calculated ones follow these.
        if row["inputs"]["type"].startswith("HTTPS"):
            check = {"HealthCheckId": row["outputs"]["id"]}
            yield Wanted(row, "health checks", "AWS/Route53", "HealthCheckStatus", "us-east-1", check)
    for row in of_type(rows, metrics.API):
        api = {"ApiName": row["outputs"]["name"]}
        yield Wanted(row, "API 5XX", "AWS/ApiGateway", "5XXError", row["region"], api)
        yield Wanted(row, "API latency", "AWS/ApiGateway", "Latency", row["region"], api)
    for row in of_type(rows, metrics.TARGETS):
        if row["inputs"].get("targetType") == "alb":
            group = {"TargetGroup": row["outputs"]["arnSuffix"]}
            yield Wanted(row, "NLB unhealthy hosts", "AWS/NetworkELB", "UnHealthyHostCount", row["region"], group)
    for row in of_type(rows, metrics.CERTIFICATE):
        certificate = {"CertificateArn": row["outputs"]["arn"]}
        yield Wanted(row, "certificate expiry", "AWS/CertificateManager", "DaysToExpiry", row["region"], certificate)


def _functions(rows: Rows) -> Iterator[Wanted]:
    for row in of_type(rows, metrics.FUNCTION):
        for metric in ("Errors", "Throttles", "Duration"):
            function = {"FunctionName": row["outputs"]["name"]}
            yield Wanted(row, f"Lambda {metric.lower()}", "AWS/Lambda", metric, row["region"], function)
    for row in of_type(rows, metrics.QUEUE):
        if row["outputs"]["arn"] in dead_letter_queues(rows):
            queue = {"QueueName": row["outputs"]["name"]}
            depth = "ApproximateNumberOfMessagesVisible"
            yield Wanted(row, "dead-letter depth", "AWS/SQS", depth, row["region"], queue)


def dead_letter_queues(rows: Rows) -> set[str]:
    """ARNs of the queues that functions and buses leave to us what they could not handle."""
    places = {
        metrics.FUNCTION: "deadLetterConfig.targetArn",
        "aws:cloudwatch/eventBus:EventBus": "deadLetterConfig.arn",
        "aws:cloudwatch/eventTarget:EventTarget": "deadLetterConfig.arn",
    }
    found = [look(row, path)[0].value for token, path in places.items() for row in of_type(rows, token)]
    return {str(arn) for arn in found if arn}


def _replication(rows: Rows) -> Iterator[Wanted]:
    for row in of_type(rows, metrics.CLUSTER):
        # Every member may come to be the reader [AURORA-16].
        member = {"DBClusterIdentifier": row["outputs"]["clusterIdentifier"]}
        yield Wanted(row, "Aurora replication lag", "AWS/RDS", "AuroraGlobalDBRPOLag", row["region"], member)
    for row in of_type(rows, metrics.TABLE):
        regions = [row["region"], *(each.value for each in look(row, "replicas.regionName") if each.value)]
        for here, there in ((a, b) for a in regions for b in regions if a != b):
            pair = {"TableName": row["outputs"]["name"], "ReceivingRegion": there}
            yield Wanted(row, "DynamoDB replication lag", "AWS/DynamoDB", "ReplicationLatency", here, pair)
    buckets = {row["outputs"]["arn"]: row for row in of_type(rows, "aws:s3/bucket:Bucket")}
    for row in of_type(rows, metrics.REPLICATION):
        for each in listed(row["inputs"].get("rules")):
            rule = {"SourceBucket": row["inputs"]["bucket"], "RuleId": each["id"]}
            there = buckets[each["destination"]["bucket"]]["region"]
            yield Wanted(row, "S3 replication lag", "AWS/S3", "ReplicationLatency", there, rule)
            yield Wanted(row, "S3 replication failures", "AWS/S3", "OperationsFailedReplication", row["region"], rule)


def _backups(rows: Rows) -> Iterator[Wanted]:
    vaults = of_type(rows, metrics.VAULT)
    for row in vaults:
        vault = {"BackupVaultName": row["outputs"]["name"]}
        yield Wanted(row, "backup failures", "AWS/Backup", "NumberOfBackupJobsFailed", row["region"], vault)
    for plan in of_type(rows, "aws:backup/plan:Plan"):
        filled = {"BackupVaultName": str(look(plan, "rules.targetVaultName")[0].value)}
        yield Wanted(plan, "backup failures", "AWS/Backup", "NumberOfBackupJobsCompleted", plan["region"], filled)
        copies = {each.value for each in look(plan, "rules.copyActions.destinationVaultArn")}
        for row in (each for each in vaults if each["outputs"]["arn"] in copies):
            to = {"BackupVaultName": row["outputs"]["name"]}
            # AWS does not say which of the two regions counts copies.
            for region in (plan["region"], row["region"]):
                yield Wanted(row, "backup failures", "AWS/Backup", "NumberOfCopyJobsFailed", region, to)


def unwatched(rows: Rows) -> list[str]:
    """What R10 names and no alarm looks at from the right region."""
    alarms = [
        (row["region"], row["inputs"]["namespace"], row["inputs"]["metricName"], row["inputs"].get("dimensions") or {})
        for row in of_type(rows, ALARM)
    ]
    return [
        f"{label(each.row)} has no alarm on {each.why}; make one on {each.namespace} {each.metric} in {each.region}"
        for each in wanted(rows)
        if not any(
            alarm[:3] == (each.region, each.namespace, each.metric) and each.dimensions.items() <= alarm[3].items()
            for alarm in alarms
        )
    ]


def unseen_regions(rows: Rows) -> list[str]:
    """Regions without a dashboard of their own stack, and a missing one for both."""
    missing = {"primary", "secondary", "global"} - {row["stack"] for row in of_type(rows, DASHBOARD)}
    return [f"{stack} has no {DASHBOARD}; make one" for stack in sorted(missing)]
