"""Backups: how old the newest one is in each region's vault, and whether the journal keeps its points in time."""

from datetime import UTC, datetime, timedelta

from drill.check.finding import Found, check, critical, not_looked_at, ok, warning, worst
from shared.deployment import Deployment
from shared.places import Place

# A backup is taken daily and may start an hour late and take hours (components/backup_plan.py).
_OLD, _TOO_OLD = timedelta(hours=30), timedelta(hours=54)


@check("backup age")
def backup_age(deployment: Deployment) -> Found:
    """Of the original in the primary's vault and of its copy in the secondary's."""
    if deployment.local is not None and not any(_newest(deployment, place) for place in Place):
        return not_looked_at("the embedded AWS takes no backup by itself", "look at it on AWS")
    return worst(_age(deployment, place) for place in Place)


def _age(deployment: Deployment, place: Place) -> Found:
    region, newest = deployment.region(place), _newest(deployment, place)
    if newest is None:
        return warning(f"{region}: none in {deployment.cell(place).vault_name}", "the first comes at 13:00 UTC")
    age = datetime.now(UTC) - newest
    evidence = f"{region}: {age.total_seconds() / 3600:.0f} h"
    remedy = "AWS Backup's list of jobs says why there is none newer"
    if age > _TOO_OLD:
        return critical(evidence, remedy)
    return warning(evidence, remedy) if age > _OLD else ok(evidence)


def _newest(deployment: Deployment, place: Place) -> datetime | None:
    pages = (
        deployment.client("backup", place)
        .get_paginator("list_recovery_points_by_backup_vault")
        .paginate(BackupVaultName=deployment.cell(place).vault_name)
    )
    moments = [
        each["CreationDate"]
        for page in pages
        for each in page["RecoveryPoints"]
        if each.get("Status", "COMPLETED") == "COMPLETED"
    ]
    return max(moments, default=None)


@check("journal's points in time")
def points_in_time(deployment: Deployment) -> Found:
    """Per replica: the parent's setting is not inherited [DYNAMODB-2]."""
    return worst(_points_in_time(deployment, place) for place in Place)


def _points_in_time(deployment: Deployment, place: Place) -> Found:
    region = deployment.region(place)
    answer = deployment.client("dynamodb", place).describe_continuous_backups(
        TableName=deployment.spanning.journal_table
    )
    status = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    if status != "ENABLED":
        return warning(f"{region}: {str(status).lower()}", "deploy the global stack again")
    return ok(f"{region}: on")
