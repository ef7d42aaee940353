"""Alarms on what keeps data: replication of database, journal and buckets, and backups."""

import functools

from components.monitoring.alarms import Alarm

_BACKUP = "[BACKUP-1], dimensions: [CW-5]"
_NO_JOBS = "counted only when there are some"
_S3 = "[S3-11]"
_S3_MISSING = "as S3 recommends: the last known state holds until there is a newer one"

DATABASE_MEMBER = (
    Alarm(
        key="lag",
        namespace="AWS/RDS",
        metric="AuroraGlobalDBRPOLag",
        dimensions={"DBClusterIdentifier": "cluster"},
        statistic="Maximum",
        evaluation_periods=5,
        datapoints=3,
        threshold=5_000,  # milliseconds
        comparison="GreaterThanThreshold",
        missing_reason="the writer has no lag to report; after a failover the two members change places",
        reason="The reading member is more than five seconds behind: so much of the ledger would have to be replayed "
        "from the journal if it took over now.",
        source="[AURORA-16]",
        metric_region="reader",
    ),
)
"""For each member, in its own region. Role `cluster`: its identifier."""

JOURNAL = (
    Alarm(
        key="replication",
        namespace="AWS/DynamoDB",
        metric="ReplicationLatency",
        dimensions={"ReceivingRegion": "receiving_region", "TableName": "table"},
        statistic="Average",
        evaluation_periods=5,
        datapoints=5,
        threshold=10_000,  # milliseconds
        comparison="GreaterThanThreshold",
        missing="ignore",
        missing_reason="alarms on DynamoDB ignore missing data in any case (API CloudWatch.PutMetricAlarm)",
        reason="What this region writes to the journal takes more than ten seconds to reach the other. Payments are "
        "written to both regions directly; control records and repairs rely on this.",
        source="[DYNAMODB-1]",
        metric_region="source",
    ),
)
"""For each direction, where it starts. Roles `table` and `receiving_region`."""

JOURNAL_REPLICAS = (
    Alarm(
        key="state",
        namespace=None,
        metric="JournalReplicationProblems",
        dimensions={"service": "function"},
        statistic="Maximum",
        evaluation_periods=5,
        datapoints=5,
        missing_reason="the ledger reports it every minute once the global stack has scheduled it; calls that fail are "
        "in the dead-letter queue, which has an alarm",
        reason="The journal is not replicated to the other region: its replica or a KMS key is inaccessible, or the "
        "replica is gone. After 20 hours DynamoDB removes the replica for good. See docs/runbooks/rotate-keys.md.",
        source="[DYNAMODB-10]",
    ),
)
"""On what DynamoDB describes of the table, in each region. Role `function`: the ledger's name in the catalogue of
functions."""

_on_audit = functools.partial(
    Alarm,
    namespace=None,
    dimensions={"service": "function"},
    period=3600,  # a sample may miss what the one before it found
    missing_reason="published by an audit only, in the writer's region",
    source="[CW-7]",
)

LEDGER_AUDIT = (
    _on_audit(
        key="missing",
        metric="AuditMissing",
        reason="A payment is in the journal and not in the ledger, or the reverse: dr audit names every one. See "
        "docs/runbooks/audit.md.",
    ),
    _on_audit(
        key="differing",
        metric="AuditDiffering",
        reason="Journal and ledger hold a payment with different contents: dr audit names every one. See "
        "docs/runbooks/audit.md.",
    ),
)
"""On what the ledger function finds. Role `function`: its name in the catalogue of functions."""

PARAMETER_DELETIONS = (
    Alarm(
        key="withheld",
        namespace=None,
        metric="ParameterDeletionsWithheld",
        dimensions={"service": "function"},
        period=3600,  # longer than the time between two reconciliations, each of which reports it
        missing_reason="published only if deletions are withheld",
        reason="Many parameters are missing in one region. They were not deleted in the other one: restore or allow "
        "them, see docs/runbooks/parameters.md.",
        source="[CW-7]",
    ),
)
"""On what the synchronization of parameters does not do by itself. Role `function`: its service name in metrics."""

_RULE = {"DestinationBucket": "destination", "RuleId": "rule", "SourceBucket": "source"}

BUCKET_SENDING = (
    Alarm(
        key="failed",
        namespace="AWS/S3",
        metric="OperationsFailedReplication",
        dimensions=_RULE,
        missing="ignore",
        missing_reason=_S3_MISSING,
        reason="Objects could not be replicated, and S3 does not try again. Check role and keys, then use S3 Batch "
        "Replication.",
        source=_S3,
        metric_region="source",
    ),
)
"""For each direction, in the source bucket's region. Roles `source`, `destination` (bucket names), `rule` (its id)."""

BUCKET_RECEIVING = (
    Alarm(
        key="latency",
        namespace="AWS/S3",
        metric="ReplicationLatency",
        dimensions=_RULE,
        statistic="Maximum",  # the only statistic S3 gives a meaning to
        evaluation_periods=5,
        datapoints=5,
        threshold=15 * 60,  # seconds: what Replication Time Control promises
        comparison="GreaterThanThreshold",
        missing="ignore",
        missing_reason=_S3_MISSING,
        reason="The copy of the bucket is more than 15 minutes behind, past what S3 promises.",
        source=_S3,
        metric_region="destination",
    ),
)
"""For each direction, in the destination bucket's region. Roles as for BUCKET_SENDING."""


def _jobs(key: str, metric: str, reason: str) -> Alarm:
    return Alarm(
        key=key,
        namespace="AWS/Backup",
        metric=metric,
        dimensions={"BackupVaultName": "vault"},
        period=300,  # how often AWS Backup reports
        missing_reason=_NO_JOBS,
        reason=reason,
        source=_BACKUP,
    )


BACKUP_VAULT = (
    _jobs("backup-failed", "NumberOfBackupJobsFailed", "A backup job failed; see the job list of AWS Backup."),
    _jobs(
        "backup-expired", "NumberOfBackupJobsExpired", "A backup could not start within its window, so there is none."
    ),
    _jobs("restore-failed", "NumberOfRestoreJobsFailed", "A restore failed: what the vault holds may be of no use."),
)
"""Role `vault`: its name."""

BACKUP_COPIES = (
    _jobs("copy-failed", "NumberOfCopyJobsFailed", "A copy to the other region failed: its vault is behind by a day."),
)
"""Role `vault`: the name of the vault that copies go *to*, since that is what AWS counts copy jobs by. AWS does not
document in which of the two regions: watch it in both."""

BACKUP_PLAN = (
    Alarm(
        key="backup-missing",
        namespace="AWS/Backup",
        metric="NumberOfBackupJobsCompleted",
        dimensions={"BackupVaultName": "vault"},
        period=86400,
        # Two days: a job may start an hour later than the day before and still be daily.
        evaluation_periods=2,
        datapoints=2,
        comparison="LessThanThreshold",
        missing="breaching",
        missing_reason="a plan that makes no backup at all is the failure that nothing else shows",
        reason="No backup was completed for two days: is the plan still there, and its role still trusted?",
        source=_BACKUP,
    ),
)
"""For a vault that a daily plan fills. Role `vault`: its name."""
