"""Everything is encrypted at rest with our keys (R6)."""

from collections.abc import Callable

import pytest

from policy.rules import encryption
from policy.rules.rows import Rows
from tests.programs import sdk
from tests.programs.changes import Change, changed, giving, without
from tests.programs.profiles import DEFAULTS, ENVIRONMENTS, registered

Rule = Callable[[Rows], list[str]]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_each_region_has_one_key_for_its_data(environment: str) -> None:
    keys = [row["region"] for row in registered(environment) if row["type"] == encryption.KEY]

    assert sorted(keys) == ["us-east-1", "us-east-2"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_argument_that_could_take_a_key_is_spoken_of(environment: str) -> None:
    """A new type, or a new argument of a newer SDK, has to be put into one of the tables."""
    types = {row["type"] for row in registered(environment) if row["type"].startswith("aws:")}
    forgotten = {
        f"{token} {path}"
        for token in types
        for path in sdk.arguments(token, encryption.KEY_ARGUMENT) - encryption.known_arguments(token)
    }

    assert len(types) > 60
    assert not forgotten


def test_the_sdk_is_looked_into_deeply_enough() -> None:
    assert sdk.arguments("aws:dynamodb/table:Table", encryption.KEY_ARGUMENT) == {
        "replicas.kmsKeyArn",
        "serverSideEncryption.kmsKeyArn",
    }


OTHER_KEY = "arn:aws:kms:us-east-2:000000000000:key/other"


@pytest.mark.parametrize(
    ("token", "name", "change"),
    [
        ("aws:backup/vault:Vault", "vault-vault", without("kmsKeyArn")),
        ("aws:cloudwatch/eventBus:EventBus", "bus-bus", giving("kmsKeyIdentifier", value=OTHER_KEY)),
        ("aws:cloudwatch/logGroup:LogGroup", "payments-logs", without("kmsKeyId")),
        ("aws:dynamodb/table:Table", "journal-table", giving("replicas", "kmsKeyArn", value=OTHER_KEY)),
        ("aws:dynamodb/table:Table", "journal-table", without("serverSideEncryption")),
        ("aws:lambda/function:Function", "payments-function", without("kmsKeyArn")),
        ("aws:lambda/function:Function", "payments-function", without("sourceKmsKeyArn")),
        ("aws:rds/cluster:Cluster", "database-secondary", without("kmsKeyId")),
        (encryption.BUCKET_ENCRYPTION, "bucket-encryption", giving("rules", value=[])),
        (
            "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
            "buckets-primary",
            without("rules", "destination", "encryptionConfiguration"),
        ),
        ("aws:secretsmanager/secret:Secret", "database-secret-secret", without("replicas", "kmsKeyId")),
        ("aws:sns/topic:Topic", "topic-topic", giving("kmsMasterKeyId", value="alias/aws/sns")),
        ("aws:sqs/queue:Queue", "dead-letters-queue", without("kmsMasterKeyId")),
    ],
)
def test_a_missing_or_foreign_key_is_refused(token: str, name: str, change: Change) -> None:
    violations = encryption.regional_key_required(changed(registered(DEFAULTS), token, name, change))

    assert violations
    assert all(f"{token} {name}" in each for each in violations)


def test_the_key_of_the_other_region_is_refused() -> None:
    rows = registered(DEFAULTS)
    there = next(
        row["outputs"]["arn"] for row in rows if row["type"] == encryption.KEY and row["region"] == "us-east-2"
    )
    swapped = changed(rows, "aws:sqs/queue:Queue", "dead-letters-queue", giving("kmsMasterKeyId", value=there))

    (violation,) = encryption.regional_key_required(swapped)
    assert violation.startswith("primary: aws:sqs/queue:Queue dead-letters-queue")
    assert violation.endswith("use the data key of us-east-1")


@pytest.mark.parametrize(
    ("rule", "token", "name", "change"),
    [
        (encryption.encryption_enabled, encryption.KEY, "data-key", giving("enableKeyRotation", value=False)),
        (
            encryption.encryption_enabled,
            "aws:rds/globalCluster:GlobalCluster",
            "database-global",
            without("storageEncrypted"),
        ),
        (
            encryption.unencrypted_feature_denied,
            "aws:rds/clusterInstance:ClusterInstance",
            "database-primary-1",
            giving("performanceInsightsEnabled", value=True),
        ),
        (
            encryption.restore_test_regional_key,
            "aws:backup/restoreTestingSelection:RestoreTestingSelection",
            "restore-testing-s3",
            without("restoreMetadataOverrides"),
        ),
    ],
)
def test_what_is_off_or_elsewhere_is_refused(rule: Rule, token: str, name: str, change: Change) -> None:
    (violation,) = rule(changed(registered(DEFAULTS), token, name, change))

    assert f"{token} {name}" in violation


def test_access_logs_of_a_load_balancer_are_refused_any_other_encryption() -> None:
    kms = giving("rules", "applyServerSideEncryptionByDefault", "sseAlgorithm", value="aws:kms")
    rows = changed(registered(DEFAULTS), encryption.BUCKET_ENCRYPTION, "log-bucket-encryption", kms)

    (violation,) = encryption.bucket_encryption_required(rows)
    assert "aws:s3/bucket:Bucket log-bucket-bucket" in violation
    assert violation.endswith("with AES256")


def test_a_bucket_without_an_encryption_configuration_is_refused() -> None:
    rows = [row for row in registered(DEFAULTS) if row["name"] != "bucket-encryption"]

    assert len(encryption.bucket_encryption_required(rows)) == 2, "one in each region"
