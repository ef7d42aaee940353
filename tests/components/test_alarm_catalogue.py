"""The alarm catalogue as data: complete, in the regions where its metrics are, and explained."""

from dataclasses import replace

import pytest

from components.monitoring import catalogue_compute, catalogue_data, catalogue_traffic
from components.monitoring.alarms import Alarm, Monitored

MODULES = (catalogue_compute, catalogue_data, catalogue_traffic)
CATALOGUE = list(
    {
        alarm.source + alarm.key + alarm.metric + alarm.reason: alarm
        for module in MODULES
        for value in vars(module).values()
        for alarm in (value if isinstance(value, tuple) else value.values() if isinstance(value, dict) else (value,))
        if isinstance(alarm, Alarm)
    }.values()
)
"""Every alarm of the three modules, once."""

# Which dimensions a metric is published by. CloudWatch finds nothing by any other set: an alarm on it would never go
# off. Sources: [CW-5]; for S3 [S3-11]; for DynamoDB [DYNAMODB-1]; for Aurora [AURORA-16]; for the rest those of the
# entries.
PUBLISHED_BY = {
    ("AWS/Lambda", "Errors"): {"FunctionName"},
    ("AWS/Lambda", "Throttles"): {"FunctionName"},
    ("AWS/Lambda", "Duration"): {"FunctionName"},
    ("AWS/Lambda", "DeadLetterErrors"): {"FunctionName"},
    ("AWS/Lambda", "IteratorAge"): {"FunctionName"},
    ("AWS/Lambda", "Invocations"): {"FunctionName"},
    ("AWS/States", "ExecutionsAborted"): {"StateMachineArn"},
    ("AWS/States", "ExecutionsFailed"): {"StateMachineArn"},
    ("AWS/States", "ExecutionsTimedOut"): {"StateMachineArn"},
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): {"QueueName"},
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): {"QueueName"},
    ("AWS/Events", "IngestionToInvocationStartLatency"): set(),
    ("AWS/ApiGateway", "5XXError"): {"ApiName", "Stage"},
    ("AWS/ApiGateway", "Latency"): {"ApiName", "Stage"},
    ("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count"): {"LoadBalancer"},
    ("AWS/NetworkELB", "UnHealthyHostCount"): {"LoadBalancer", "TargetGroup"},
    ("AWS/Route53", "HealthCheckStatus"): {"HealthCheckId"},
    ("AWS/CertificateManager", "DaysToExpiry"): {"CertificateArn"},
    ("AWS/RDS", "AuroraGlobalDBRPOLag"): {"DBClusterIdentifier"},
    ("AWS/DynamoDB", "ReplicationLatency"): {"ReceivingRegion", "TableName"},
    ("AWS/S3", "OperationsFailedReplication"): {"DestinationBucket", "RuleId", "SourceBucket"},
    ("AWS/S3", "ReplicationLatency"): {"DestinationBucket", "RuleId", "SourceBucket"},
    (None, "UnannouncedOldestSeconds"): {"service"},
    (None, "SweepsFailed"): {"service"},
    (None, "JournalReplicationProblems"): {"service"},
    (None, "ParameterDeletionsWithheld"): {"service"},
    (None, "PeerUnableToTakeOver"): {"service"},
    ("AWS/Backup", "NumberOfBackupJobsFailed"): {"BackupVaultName"},
    ("AWS/Backup", "NumberOfBackupJobsExpired"): {"BackupVaultName"},
    ("AWS/Backup", "NumberOfRestoreJobsFailed"): {"BackupVaultName"},
    ("AWS/Backup", "NumberOfCopyJobsFailed"): {"BackupVaultName"},
    ("AWS/Backup", "NumberOfBackupJobsCompleted"): {"BackupVaultName"},
    # By the functions themselves (common/telemetry.py).
    (None, "AuditMissing"): {"service"},
    (None, "AuditDiffering"): {"service"},
    (None, "BacklogOldestSeconds"): {"service"},
}


def entry(namespace: str, metric: str) -> Alarm:
    (found,) = [alarm for alarm in CATALOGUE if (alarm.namespace, alarm.metric) == (namespace, metric)]
    return found


def test_every_metric_is_looked_up_by_the_dimensions_it_is_published_by() -> None:
    assert {(alarm.namespace, alarm.metric): set(alarm.dimensions) for alarm in CATALOGUE} == PUBLISHED_BY


def test_everything_required_is_watched() -> None:
    """R10: each of these words stands in the requirement."""
    monitored = {
        "health checks": catalogue_traffic.HEALTH_CHECK,
        "replication lag of Aurora": catalogue_data.DATABASE_MEMBER,
        "replication lag of DynamoDB": catalogue_data.JOURNAL,
        "replication lag of S3": (*catalogue_data.BUCKET_SENDING, *catalogue_data.BUCKET_RECEIVING),
        "Lambda errors, throttles, duration": catalogue_compute.FUNCTION,
        "API 5XX and latency": catalogue_traffic.API,
        "NLB unhealthy hosts": catalogue_traffic.TARGETS,
        "dead-letter depth": catalogue_compute.DEAD_LETTER_QUEUE,
        "backup and copy failures": (*catalogue_data.BACKUP_VAULT, *catalogue_data.BACKUP_COPIES),
        "certificate expiry": catalogue_traffic.CERTIFICATE,
    }

    assert all(monitored.values())
    assert set().union(*(set(map(id, group)) for group in monitored.values())) <= {id(alarm) for alarm in CATALOGUE}


def test_every_entry_gives_its_reasons_and_where_its_facts_are_from() -> None:
    for alarm in CATALOGUE:
        assert len(alarm.reason) > 40, alarm.key
        assert len(alarm.reason) <= 1024, "API CloudWatch.PutMetricAlarm, AlarmDescription"
        assert alarm.missing_reason, alarm.key
        assert alarm.source, alarm.key


def test_health_checks_are_watched_where_their_metric_is() -> None:
    assert entry("AWS/Route53", "HealthCheckStatus").metric_region == "us-east-1", "[R53-4]"


def test_the_lag_of_a_bucket_is_seen_where_it_goes_and_its_failures_where_they_happen() -> None:
    """The region in which S3 publishes each metric [S3-11]."""
    assert entry("AWS/S3", "ReplicationLatency").metric_region == "destination"
    assert entry("AWS/S3", "OperationsFailedReplication").metric_region == "source"


def test_s3_statistics_are_those_that_s3_gives_a_meaning_to() -> None:
    """Max for latency; Sum, Average, Sample Count for failures; missing data ignored [S3-11]."""
    assert entry("AWS/S3", "ReplicationLatency").statistic == "Maximum"
    assert entry("AWS/S3", "OperationsFailedReplication").statistic == "Sum"
    assert {alarm.missing for alarm in CATALOGUE if alarm.namespace == "AWS/S3"} == {"ignore"}


def test_the_writers_silence_about_lag_is_no_alarm() -> None:
    lag = entry("AWS/RDS", "AuroraGlobalDBRPOLag")

    assert lag.missing == "notBreaching", "only the reader reports, and the members change places [AURORA-16]"
    assert lag.metric_region == "reader"


def test_dynamodb_alarms_ignore_missing_data_explicitly() -> None:
    """API CloudWatch.PutMetricAlarm: alarms in AWS/DynamoDB always ignore missing data."""
    assert {alarm.missing for alarm in CATALOGUE if alarm.namespace == "AWS/DynamoDB"} == {"ignore"}


@pytest.mark.parametrize(
    ("namespace", "metric"), [("AWS/Route53", "HealthCheckStatus"), ("AWS/NetworkELB", "UnHealthyHostCount")]
)
def test_what_always_reports_raises_the_alarm_by_its_silence(namespace: str, metric: str) -> None:
    assert entry(namespace, metric).missing == "breaching"


def test_a_region_that_stands_by_is_not_in_alarm() -> None:
    """No calls: nothing of Lambda, API and ALB is reported, and urgent ones would make the composite alarm go off."""
    idle = [alarm for alarm in CATALOGUE if alarm.namespace in ("AWS/Lambda", "AWS/ApiGateway", "AWS/ApplicationELB")]

    assert idle
    for alarm in catalogue_compute.SCHEDULED.values():
        idle.remove(alarm)  # schedules run wherever traffic goes
    assert {alarm.missing for alarm in idle} == {"notBreaching"}


def test_keys_distinguish_the_alarms_of_one_resource() -> None:
    for group in (
        catalogue_compute.ASYNC_FUNCTION,
        catalogue_compute.STREAM_FUNCTION,
        catalogue_traffic.API,
        catalogue_data.BACKUP_VAULT,
    ):
        keys = [alarm.key for alarm in group]
        assert len(set(keys)) == len(keys)


def test_a_share_is_taken_of_the_watched_things_own_limit() -> None:
    duration = entry("AWS/Lambda", "Duration")
    ledger = Monitored(
        name="ledger", alarms=[duration], dimensions={"function": "ledger"}, limits={"timeout_ms": 10_000}
    )

    assert ledger.threshold(duration) == 8_000


def test_a_thing_without_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="limit timeout_ms of ledger"):
        Monitored(name="ledger", alarms=catalogue_compute.FUNCTION, dimensions={"function": "ledger"})


def test_a_thing_without_a_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the stage of api"):
        Monitored(name="api", alarms=catalogue_traffic.API, dimensions={"api": "api-payments-primary-dev"})


def test_more_datapoints_than_periods_are_refused() -> None:
    with pytest.raises(ValueError, match="requires 3 of 2 datapoints"):
        replace(entry("AWS/SQS", "ApproximateNumberOfMessagesVisible"), evaluation_periods=2, datapoints=3)


def test_a_longer_time_than_cloudwatch_allows_is_refused() -> None:
    with pytest.raises(ValueError, match="covers a longer time"):
        replace(entry("AWS/Lambda", "Errors"), evaluation_periods=1441, datapoints=1)
