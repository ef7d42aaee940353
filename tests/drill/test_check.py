"""Each check on an environment that is well, and on one with a single thing wrong."""

from datetime import timedelta

import pytest

from drill.preflight import (  # fmt: skip
    account,
    alarms,
    control_records,
    database,
    functions,
    ledger,
    parameters,
    replication,
    traffic,
)
from drill.preflight.finding import Check, Severity
from drill.preflight.run import CHECKS
from shared.places import Place
from tests.drill import healthy
from tests.drill.answers import Answer, deployment
from tests.drill.check_world import CRITICAL, OK, WARNING, P, S, World, arn, fenced, hours, shared_world, world

__all__ = ["shared_world", "world"]


BY_HTTP = (traffic.health, traffic.api)


@pytest.mark.parametrize("check", [each for each in CHECKS if each not in BY_HTTP], ids=lambda each: each.name)
def test_an_environment_that_is_well_is_ok_by_every_check(world: World, check: Check) -> None:
    finding = world.check(check)

    assert (finding.severity, finding.remedy) == (OK, ""), finding.evidence
    assert finding.evidence


SEEDED = [
    (account.identity, "GetCallerIdentity", {"Account": "999988887777"}, S, CRITICAL, "eu-central-1: account …7777"),
    (account.identity, "GetCallerIdentity", "ExpiredToken", P, CRITICAL, "GetCallerIdentity failed: ExpiredToken"),
    (
        traffic.targets, "DescribeTargetHealth",
        {"TargetHealthDescriptions": [{"TargetHealth": {"State": "unhealthy"}}]},
        S, CRITICAL, "eu-central-1: 0 of 1 healthy",
    ),
    (traffic.targets, "DescribeTargetHealth", {"TargetHealthDescriptions": []}, P, CRITICAL,
    "eu-west-1: 0 of 0 healthy"),
    (
        traffic.accelerator, "ListEndpointGroups", healthy.groups(deployment(), HealthState="UNHEALTHY"), None,
        CRITICAL,
        "eu-central-1: unhealthy",
    ),
    (
        traffic.accelerator, "ListEndpointGroups", healthy.groups(deployment(), Weight=0), None, CRITICAL,
        "eu-central-1: weight 0",
    ),
    (
        traffic.accelerator, "ListEndpointGroups", healthy.groups(deployment(), EndpointId="another"), None, CRITICAL,
        "eu-central-1: its load balancer is in no endpoint group",
    ),
    (
        traffic.health_checks, "ListHealthChecks", healthy.health_checks("nlb-primary.example.com"), None, CRITICAL,
        "eu-central-1: no health check for its endpoints",
    ),
    (
        traffic.health_checks, "GetHealthCheckStatus", healthy.observed("Failure: timed out", "Failure: timed out"),
        None, CRITICAL, "eu-west-1: 0 of 2 healthy",
    ),
    (control_records.none_fenced, "GetItem", fenced("eu-west-1"), S, CRITICAL, "eu-west-1 is fenced since epoch 4"),
    (
        control_records.none_fenced, "GetItem", healthy.record(state="odd", epoch="1"), P, CRITICAL,
        "is odd since epoch 1",
    ),
    (control_records.records_agree, "GetItem", fenced("eu-west-1"), S, WARNING, "region#eu-west-1 is at epoch 0 and 4"),
    (
        control_records.writer_recorded, "GetItem", healthy.record(region="eu-central-1", epoch="2"), S, CRITICAL,
        "the record names eu-central-1, but the writer is eu-west-1",
    ),
    (
        control_records.writer_recorded, "GetItem", healthy.record(region="", epoch="2"), P, CRITICAL,
        "the role is being handed over",
    ),
    (
        functions.none_running, "ListExecutions",
        {"executions": [{
            "executionArn": "any", "stateMachineArn": "any", "name": "f1", "status": "RUNNING",
            "startDate": healthy.now(),
        }]}, S, CRITICAL, "eu-central-1: failover f1 runs",
    ),
    (
        functions.dead_letters, "GetQueueAttributes", {"Attributes": {"ApproximateNumberOfMessages": "2"}}, P, WARNING,
        "eu-west-1: 2",
    ),
    (functions.code_equal, "GetFunctionConfiguration", healthy.function("other"), S, CRITICAL, "c0dec0de and other"),
    (functions.code_equal, "GetFunctionConfiguration", healthy.function(State="Failed"), P, CRITICAL, "is Failed"),
    (functions.sentinels, "GetMetricData", healthy.metric(), S, CRITICAL, "eu-central-1: no run in 15 minutes"),
    (
        database.members_available, "DescribeGlobalClusters", healthy.members(healthy.member(arn(P), writer=True)), P,
        CRITICAL, "eu-central-1: not a member of the global database",
    ),
    (
        database.members_available, "DescribeDBClusters", healthy.cluster(Status="upgrading"), S, CRITICAL,
        "eu-central-1: upgrading",
    ),
    (
        database.members_available, "DescribeDBClusters", healthy.cluster(DBClusterMembers=[]), S, CRITICAL,
        "eu-central-1: no instance",
    ),
    (
        database.members_available, "DescribeGlobalClusters",
        healthy.members(
            healthy.member(arn(P), writer=True), healthy.member(arn(S), writer=False, state="pending-resync")
        ),
        P, CRITICAL, "eu-central-1: pending-resync",
    ),
    (
        database.versions_equal, "DescribeDBClusters", healthy.cluster(EngineVersion="16.11"), S, CRITICAL,
        "eu-west-1: 16.9, eu-central-1: 16.11",
    ),
    (
        database.capacity_equal, "DescribeDBClusters",
        healthy.cluster(ServerlessV2ScalingConfiguration={"MaxCapacity": 1.0}), S, WARNING,
        "eu-central-1: up to 1.0 ACU",
    ),
    (
        database.writer_in_primary, "DescribeGlobalClusters",
        healthy.members(healthy.member(arn(P), writer=False), healthy.member(arn(S), writer=True)), None, WARNING,
        "eu-central-1 (secondary) is the writer",
    ),
    (
        database.writer_in_primary, "DescribeGlobalClusters", healthy.members(healthy.member(arn(P), writer=False)),
        None, CRITICAL, "no writer among our members",
    ),
    (
        database.secret_replicated, "DescribeSecret",
        {"ReplicationStatus": [{"Region": "eu-central-1", "Status": "Failed"}]}, None, CRITICAL, "eu-central-1: Failed",
    ),
    (database.secret_replicated, "DescribeSecret", {}, None, CRITICAL, "eu-central-1: no replica"),
    (replication.database_lag, "GetMetricData", healthy.metric(5001.0, 1.0), S, CRITICAL, "5001 ms of at most 5000"),
    (replication.database_lag, "GetMetricData", healthy.metric(), S, WARNING, "could not be checked"),
    (
        replication.journal_replicas, "DescribeTable", healthy.table("eu-west-1", status="CREATING"), S, CRITICAL,
        "eu-west-1 there: CREATING",
    ),
    (replication.journal_replicas, "DescribeTable", healthy.table(), P, CRITICAL, "eu-west-1: the table has no"),
    (
        replication.journal_replicas, "DescribeTable", healthy.table("eu-west-1"), P, CRITICAL,
        "eu-west-1: the table has no replica in eu-central-1",
    ),
    (
        replication.journal_replicas, "DescribeTable",
        healthy.table("eu-west-1", status="INACCESSIBLE_ENCRYPTION_CREDENTIALS"), S, CRITICAL,
        "eu-west-1 there: INACCESSIBLE_ENCRYPTION_CREDENTIALS",
    ),
    (
        replication.journal_lag, "GetMetricData", healthy.metric(6000.0), P, WARNING,
        "eu-west-1 to eu-central-1: 6000 ms of at most 10000",
    ),
    (
        replication.bucket_rules, "GetBucketReplication", healthy.rules("arn:aws:s3:::b", "Disabled"),
        P, CRITICAL, "eu-west-1: no enabled rule to eu-central-1",
    ),
    (replication.bucket_lag, "GetMetricData", healthy.metric(901.0), S, CRITICAL, "to eu-central-1: 901 s"),
    (
        ledger.agrees, "Invoke", healthy.audited(("order-7", "not-in-ledger"), not_in_ledger=1), P, CRITICAL,
        "findings: 1: order-7 not-in-ledger",
    ),
    (ledger.agrees, "Invoke", healthy.audited(differing=5), P, CRITICAL, "1000 rows compared, findings: 5"),
    (
        ledger.agrees, "Invoke", healthy.invoked({"errorType": "DatabaseUnavailable"}, FunctionError="Unhandled"), P,
        CRITICAL, "eu-west-1: the comparison failed: DatabaseUnavailable",
    ),
    (
        ledger.agrees, "DescribeGlobalClusters", healthy.members(healthy.member(arn(P), writer=False)), None, CRITICAL,
        "no member is the writer",
    ),
    (ledger.agrees, "Invoke", "AccessDeniedException", P, WARNING, "Invoke is not allowed"),
    (parameters.parameters_equal, "DescribeParameters", {"Parameters": []}, None, WARNING, "none under /app/dev"),
    (
        parameters.parameters_equal, "DescribeParameters", {"Parameters": []}, S, CRITICAL,
        "/app/dev/flags is missing in eu-central-1",
    ),
    (
        parameters.parameters_equal, "DescribeParameters",
        {"Parameters": [healthy.parameter("flags", Type="SecureString")]}, P, CRITICAL, "/app/dev/flags has two types",
    ),
    (
        parameters.parameters_equal, "DescribeParameters",
        {"Parameters": [healthy.parameter("flags", LastModifiedDate=healthy.now() - timedelta(hours=2), Version=2)]}, S,
        WARNING, "changed in eu-west-1 ",
    ),
    (
        alarms.alarms, "DescribeAlarms", {"MetricAlarms": [healthy.alarm(deployment(), "lag", "ALARM")]}, S, WARNING,
        "eu-central-1: lag",
    ),
    (
        alarms.alarms, "DescribeAlarms",
        {
            "MetricAlarms": [healthy.alarm(deployment(), "a")],
            "CompositeAlarms": [healthy.alarm(deployment(), "alarm-region", "ALARM")],
        },
        S, CRITICAL, "eu-central-1 is degraded: alarm-region",
    ),
    (
        alarms.alarms, "DescribeAlarms", {"MetricAlarms": [healthy.alarm(deployment(), "mute", actions=False)]}, P,
        WARNING, "eu-west-1: mute have their actions disabled",
    ),
    (alarms.alarms, "DescribeAlarms", {"MetricAlarms": []}, P, CRITICAL, "eu-west-1: no alarm notifies our topic"),
    (
        account.concurrency, "GetAccountSettings", {"AccountLimit": {"ConcurrentExecutions": 10}}, S, CRITICAL,
        "eu-central-1: 10 allowed, both regions' peaks are 14",
    ),
    (
        account.concurrency, "GetAccountSettings", {"AccountLimit": {"ConcurrentExecutions": 15}}, S, WARNING,
        "eu-central-1: 15 allowed",
    ),
    (
        account.quotas_equal, "ListServiceQuotas",
        {"Quotas": [
            {"QuotaName": "Throttle rate", "Value": 600.0},
            {"QuotaName": "Network interfaces per Region", "Value": 5000.0},
        ]}, S, WARNING, "Throttle rate: eu-west-1 10000, eu-central-1 600",
    ),
    (account.quotas_equal, "ListServiceQuotas", "AccessDeniedException", S, WARNING, "is not allowed"),
    (
        traffic.certificates, "DescribeCertificate",
        {"Certificate": {"Status": "ISSUED", "NotAfter": healthy.now() + timedelta(days=6)}}, S, CRITICAL,
        "eu-central-1: 5 days left",
    ),
    (
        traffic.certificates, "DescribeCertificate",
        {"Certificate": {"Status": "ISSUED", "NotAfter": healthy.now() + timedelta(days=30)}}, P, WARNING, "29 days",
    ),
    (
        traffic.certificates, "DescribeCertificate", {"Certificate": {"Status": "EXPIRED"}}, P, CRITICAL,
        "EXPIRED",
    ),
    (replication.backup_age, "ListRecoveryPointsByBackupVault", hours(40), S, WARNING, "eu-central-1: 40 h"),
    (replication.backup_age, "ListRecoveryPointsByBackupVault", hours(60), P, CRITICAL, "eu-west-1: 60 h"),
    (
        replication.backup_age, "ListRecoveryPointsByBackupVault", {"RecoveryPoints": []}, P, WARNING,
        "eu-west-1: none in",
    ),
    (
        replication.points_in_time, "DescribeContinuousBackups",
        {"ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
        }}, S, WARNING, "eu-central-1: disabled",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "operation", "answer", "place", "severity", "evidence"),
    SEEDED,
    ids=[f"{row[0].name}: {row[5]}"[:70] for row in SEEDED],
)
def test_one_thing_wrong_is_found_and_named(
    world: World,
    check: Check,
    operation: str,
    answer: Answer,
    place: Place | None,
    severity: Severity,
    evidence: str,
) -> None:
    world.answers.set(operation, answer, place)

    finding = world.check(check)

    assert finding.severity is severity, finding.evidence
    assert evidence in finding.evidence
    assert finding.remedy, "whoever is warned is reported what to do"


def test_every_check_was_seen_to_fail() -> None:
    seen = {row[0] for row in SEEDED} | set(BY_HTTP) | {account.outputs_agree}

    assert [each.name for each in CHECKS if each not in seen] == []
