"""Preflight checks of the replication lag of each copy of the data. Limits are those of the alarms
(`components/monitoring/catalogue_data.py`)."""

from datetime import UTC, datetime, timedelta

from drill.preflight import database
from drill.preflight.alarms import latest
from drill.preflight.finding import Found, check, check_each, critical, not_checked, ok, warning, worst
from shared.deployment import Deployment
from shared.places import Place

_DATABASE_MS = 5_000
_JOURNAL_MS = 10_000
_BUCKET_SECONDS = 15 * 60
_QUIET = "no data for 15 minutes; it reports while something is written"
_LOST_REPLICA = "see docs/runbooks/rotate-keys.md; an inaccessible replica is removed after 20 hours"
_WRITE = "send a payment and check again"


@check("database replication lag")
def database_lag(deployment: Deployment) -> Found:
    """Reported where the reader is, by both engines [AURORA-16]."""
    at_writer = database.writer(deployment)
    if at_writer is None:
        return critical("there is no writer to be behind", "see the global cluster's events")
    reader = at_writer.other
    dimensions = {"DBClusterIdentifier": database.member_arn(deployment, reader).rpartition(":")[2]}
    cloudwatch = deployment.client("cloudwatch", reader)
    lags = latest(cloudwatch, "AWS/RDS", "AuroraGlobalDBReplicationLag", dimensions, "Maximum")
    return _judged(deployment.region(reader), lags, _DATABASE_MS, "ms", "see the writer's load and the member's events")


@check_each("journal replicas")
def journal_replicas(deployment: Deployment, place: Place) -> Found:
    """The table is active in both regions, and each lists the other as its replica. A replica that left the global
    table because its key was inaccessible still answers [DYNAMODB-10]."""
    region, peer = deployment.region(place), deployment.region(place.other)
    table = deployment.client("dynamodb", place).describe_table(TableName=deployment.global_outputs.journal_table)[
        "Table"
    ]
    states = {each["RegionName"]: each["ReplicaStatus"] for each in table.get("Replicas", [])}
    if peer not in states:
        return critical(f"{region}: the table has no replica in {peer}", _LOST_REPLICA)
    if table.get("SSEDescription", {}).get("InaccessibleEncryptionDateTime"):
        return critical(f"{region}: the table's KMS key is inaccessible", _LOST_REPLICA)
    if table["TableStatus"] not in ("ACTIVE", "UPDATING") or states[peer] != "ACTIVE":
        return critical(f"{region}: {table['TableStatus']}, {peer} there: {states[peer]}", _LOST_REPLICA)
    return ok(f"{region}: active")


@check_each("journal replication lag")
def journal_lag(deployment: Deployment, place: Place) -> Found:
    dimensions = {
        "TableName": deployment.global_outputs.journal_table,
        "ReceivingRegion": deployment.region(place.other),
    }
    cloudwatch = deployment.client("cloudwatch", place)
    lags = latest(cloudwatch, "AWS/DynamoDB", "ReplicationLatency", dimensions, "Average")
    way = f"{deployment.region(place)} to {deployment.region(place.other)}"
    return _judged(way, lags, _JOURNAL_MS, "ms", "see AWS Health for DynamoDB in both regions")


@check_each("bucket replication rules")
def bucket_rules(deployment: Deployment, place: Place) -> Found:
    cell, other = deployment.cell(place), deployment.cell(place.other)
    answer = deployment.client("s3", place).get_bucket_replication(Bucket=cell.storage.bucket_name)
    enabled = [
        rule
        for rule in answer["ReplicationConfiguration"]["Rules"]
        if rule["Status"] == "Enabled" and rule["Destination"]["Bucket"] == other.storage.bucket_arn
    ]
    if not enabled:
        return critical(f"{cell.region}: no enabled rule to {other.region}", "deploy the global stack again")
    return ok(f"{cell.region}: enabled")


@check_each("bucket replication lag")
def bucket_lag(deployment: Deployment, place: Place) -> Found:
    """Of what arrives at `place`: AWS reports latency where the destination is [S3-11]."""
    here, there = deployment.cell(place), deployment.cell(place.other)
    dimensions = {
        "SourceBucket": there.storage.bucket_name,
        "DestinationBucket": here.storage.bucket_name,
        "RuleId": f"{place.other}-to-{place}",  # fixed by components/storage/bucket_replication.py
    }
    cloudwatch = deployment.client("cloudwatch", place)
    lags = latest(cloudwatch, "AWS/S3", "ReplicationLatency", dimensions, "Maximum")
    return _judged(f"to {here.region}", lags, _BUCKET_SECONDS, "s", "see the bucket's failed replications")


def _judged(what: str, values: list[float], limit: float, unit: str, remedy: str) -> Found:
    """The newest value against the limit; half of it is worth a warning."""
    if not values:
        return not_checked(f"{what}: {_QUIET}", _WRITE)
    evidence = f"{what}: {values[0]:g} {unit} of at most {limit:g}"
    if values[0] > limit:
        return critical(evidence, remedy)
    return warning(evidence, remedy) if values[0] > limit / 2 else ok(evidence)


# Backups: how old the newest one is in each region's vault, and whether the journal keeps its points in time.


# A backup is taken daily and may start an hour late and take hours (components/backup/plan.py).
_OLD, _TOO_OLD = timedelta(hours=30), timedelta(hours=54)


@check("backup age")
def backup_age(deployment: Deployment) -> Found:
    """Of the original in the primary's vault and of its copy in the secondary's."""
    if deployment.local is not None and not any(_newest(deployment, place) for place in Place):
        return not_checked("the embedded AWS takes no backup by itself", "check it on AWS")
    return worst(_age(deployment, place) for place in Place)


def _age(deployment: Deployment, place: Place) -> Found:
    region, newest = deployment.region(place), _newest(deployment, place)
    if newest is None:
        return warning(f"{region}: none in {deployment.cell(place).storage.vault_name}", "the first comes at 13:00 UTC")
    age = datetime.now(UTC) - newest
    evidence = f"{region}: {age.total_seconds() / 3600:.0f} h"
    remedy = "see the reason in AWS Backup's list of jobs"
    if age > _TOO_OLD:
        return critical(evidence, remedy)
    return warning(evidence, remedy) if age > _OLD else ok(evidence)


def _newest(deployment: Deployment, place: Place) -> datetime | None:
    pages = (
        deployment.client("backup", place)
        .get_paginator("list_recovery_points_by_backup_vault")
        .paginate(BackupVaultName=deployment.cell(place).storage.vault_name)
    )
    moments = [
        each["CreationDate"]
        for page in pages
        for each in page["RecoveryPoints"]
        if each.get("Status", "COMPLETED") == "COMPLETED"
    ]
    return max(moments, default=None)


@check_each("journal's points in time")
def points_in_time(deployment: Deployment, place: Place) -> Found:
    """Per replica: the parent's setting is not inherited [DYNAMODB-2]."""
    region = deployment.region(place)
    answer = deployment.client("dynamodb", place).describe_continuous_backups(
        TableName=deployment.global_outputs.journal_table
    )
    status = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    if status != "ENABLED":
        return warning(f"{region}: {str(status).lower()}", "deploy the global stack again")
    return ok(f"{region}: on")
