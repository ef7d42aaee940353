"""Encryption at rest with the data key of the resource's region, wherever AWS accepts a key (R6)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from policy.rules.rows import Occurrence, Row, Rows, label, of_type, values_at
from policy.rules.unknown import NotKnownYet, Unknown, judged

KEY = "aws:kms/key:Key"
PARAMETER = "aws:ssm/parameter:Parameter"
BUCKET_ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
# The provider's names for arguments that name a key or switch encryption.
KEY_ARGUMENT = re.compile(r"kms|key_(id|arn|identifier)s?$|encrypt")

KeyRegion = Callable[[Row, Occurrence, Rows], str | None]
"""The region whose key an argument must name."""


def _own_region(row: Row, found: Occurrence, rows: Rows) -> str | None:  # noqa: ARG001
    return str(row["region"])


def _region_in(key: str) -> KeyRegion:
    """The region in the argument `key` beside the key's: that of a replica."""
    return lambda row, found, rows: found.within[-1].get(key)  # noqa: ARG005


def _destination_region(row: Row, found: Occurrence, rows: Rows) -> str | None:  # noqa: ARG001
    arn = found.within[-2].get("bucket")
    return next(
        (each["region"] for each in of_type(rows, "aws:s3/bucket:Bucket") if each["outputs"]["arn"] == arn), None
    )


KEYS: Mapping[str, Mapping[str, KeyRegion]] = {
    "aws:backup/vault:Vault": {"kmsKeyArn": _own_region},
    "aws:cloudwatch/eventBus:EventBus": {"kmsKeyIdentifier": _own_region},
    "aws:cloudwatch/logGroup:LogGroup": {"kmsKeyId": _own_region},
    # A replica needs a key of its own region [DYNAMODB-3].
    "aws:dynamodb/table:Table": {
        "serverSideEncryption.kmsKeyArn": _own_region,
        "replicas.kmsKeyArn": _region_in("regionName"),
    },
    "aws:scheduler/schedule:Schedule": {"kmsKeyArn": _own_region},
    "aws:sfn/stateMachine:StateMachine": {"encryptionConfiguration.kmsKeyId": _own_region},
    "aws:lambda/function:Function": {"kmsKeyArn": _own_region, "sourceKmsKeyArn": _own_region},
    # Each member with the key of its region [AURORA-6].
    "aws:rds/cluster:Cluster": {"kmsKeyId": _own_region},
    BUCKET_ENCRYPTION: {"rules.applyServerSideEncryptionByDefault.kmsMasterKeyId": _own_region},
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": {
        # Without it, encrypted objects are not replicated [S3-7].
        "rules.destination.encryptionConfiguration.replicaKmsKeyId": _destination_region
    },
    # A replica without a key gets AWS's own [SECRETS-2].
    "aws:secretsmanager/secret:Secret": {"kmsKeyId": _own_region, "replicas.kmsKeyId": _region_in("region")},
    # With SNS's own key, alarm notifications would be dropped without an error [SNS-2].
    "aws:sns/topic:Topic": {"kmsMasterKeyId": _own_region},
    "aws:sqs/queue:Queue": {"kmsMasterKeyId": _own_region},
    PARAMETER: {"keyId": _own_region},
}
FLAGS: Mapping[str, Mapping[str, object]] = {
    "aws:dynamodb/table:Table": {"serverSideEncryption.enabled": True},
    # The default is false [AURORA-10]; all members of a global database must agree [AURORA-11].
    "aws:rds/cluster:Cluster": {"storageEncrypted": True},
    "aws:rds/globalCluster:GlobalCluster": {"storageEncrypted": True},
    # Required for the replication of objects under a customer key [S3-7].
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": {
        "rules.sourceSelectionCriteria.sseKmsEncryptedObjects.status": "Enabled"
    },
    KEY: {"enableKeyRotation": True},
}


@dataclass(frozen=True)
class Unused:
    """The reason that an argument names no key. `while_off` is the feature whose data it would encrypt."""

    reason: str
    while_off: str | None = None


_INLINE = Unused(
    "inline settings of a bucket are deprecated and show a permanent difference [S3-2]; separate resources set it",
    "serverSideEncryptionConfiguration",
)
_INSIGHTS = Unused("Performance Insights stores nothing while it is off", "performanceInsightsEnabled")

UNUSED: Mapping[str, Mapping[str, Unused]] = {
    "aws:apigateway/usagePlanKey:UsagePlanKey": {"keyId": Unused("names a client's API key")},
    "aws:apigateway/methodSettings:MethodSettings": {
        "settings.cacheDataEncrypted": Unused("no answer is cached", "settings.cachingEnabled")
    },
    KEY: {"xksKeyId": Unused("names a key outside AWS; ours are in KMS")},
    "aws:kms/alias:Alias": {"targetKeyId": Unused("refers to the key, encrypts nothing")},
    "aws:rds/cluster:Cluster": {
        "masterUserSecretKmsKeyId": Unused(
            "global databases cannot have such a secret [AURORA-5]", "manageMasterUserPassword"
        ),
        "performanceInsightsKmsKeyId": _INSIGHTS,
    },
    "aws:rds/clusterInstance:ClusterInstance": {"performanceInsightsKmsKeyId": _INSIGHTS},
    "aws:s3/bucket:Bucket": {
        "serverSideEncryptionConfiguration.rule.applyServerSideEncryptionByDefault.kmsMasterKeyId": _INLINE,
        "serverSideEncryptionConfiguration.rule.blockedEncryptionTypes": _INLINE,
        "replicationConfiguration.rules.destination.replicaKmsKeyId": Unused(
            _INLINE.reason, "replicationConfiguration"
        ),
    },
    BUCKET_ENCRYPTION: {"rules.blockedEncryptionTypes": Unused("blocks client-provided keys, names none")},
    "aws:lambda/eventSourceMapping:EventSourceMapping": {
        "kmsKeyArn": Unused("encrypts the filter, which holds the prefix of payment keys and no secret")
    },
    "aws:sfn/stateMachine:StateMachine": {
        "encryptionConfiguration.kmsDataKeyReusePeriodSeconds": Unused("a time, not a key"),
        "encryptionConfiguration.type": Unused("switches to a customer key; kmsKeyId names it"),
    },
    "aws:sqs/queue:Queue": {"kmsDataKeyReusePeriodSeconds": Unused("a time, not a key")},
}


def known_arguments(token: str) -> set[str]:
    """The arguments of a type that these tables cover."""
    return {path for table in (KEYS, FLAGS, UNUSED) for path in table.get(token, {})}


def regional_key_required(rows: Rows) -> list[str]:
    """Resources that are not encrypted with the data key of their region."""
    violations = []
    for row in (each for token in KEYS for each in of_type(rows, token)):
        if _is_readable(row) or (
            row["type"] == BUCKET_ENCRYPTION and row["inputs"].get("bucket") in _log_buckets(rows)
        ):
            continue
        for path, key_region in KEYS[row["type"]].items():
            for found in _values(row, path):
                region = key_region(row, found, rows)
                if found.value is None or found.value not in _keys(rows, region):
                    violations.append(f"{label(row)} has {path} {found.value}; use the data key of {region}")
    return violations


def key_required(rows: Rows) -> list[str]:
    """Resources that name no key at all; this needs the resource alone, so it is checked before its creation."""
    return [
        f"{label(row)} names no key in {path}; use the data key of its region"
        for token, paths in KEYS.items()
        # Buckets for ALB access logs have none, which only the load balancers show: see `bucket_encryption_required`.
        if token != BUCKET_ENCRYPTION
        for row in of_type(rows, token)
        for path in paths
        for found in _values(row, path)
        if found.value is None and not _is_readable(row)
    ]


def _values(row: Row, path: str) -> list[Occurrence]:
    """The keys at `path`; none for the replicas of what has none."""
    block, _, rest = path.partition(".")
    return [] if rest and block == "replicas" and not row["inputs"].get(block) else list(values_at(row, path))


def _is_readable(row: Row) -> bool:
    """Whether it is a parameter without a secret, which has no key (API SSM.PutParameter, KeyId)."""
    return bool(row["type"] == PARAMETER and row["inputs"].get("type") != "SecureString")


def encryption_enabled(rows: Rows) -> list[str]:
    """Encryption or key rotation that is off."""
    return [
        f"{label(row)} has {path} {found.value}; set it to {wanted}"
        for token, flags in FLAGS.items()
        for row in of_type(rows, token)
        for path, wanted in flags.items()
        for found in values_at(row, path)
        if found.value != wanted
    ]


def unencrypted_feature_denied(rows: Rows) -> list[str]:
    """Features that would store data under a key of AWS's."""
    return [
        f"{label(row)} has {unused.while_off} on, but no {path}; use the data key of {row['region']}"
        for token, paths in UNUSED.items()
        for row in of_type(rows, token)
        for path, unused in paths.items()
        if unused.while_off and values_at(row, unused.while_off)[0].value and not values_at(row, path)[0].value
    ]


def bucket_encryption_required(rows: Rows) -> list[str]:
    """Buckets without the right encryption configuration. ALB access logs are written with SSE-S3 only: any other
    encryption leaves their bucket empty [ALB-4]."""
    configurations = {row["inputs"].get("bucket"): row for row in of_type(rows, BUCKET_ENCRYPTION)}
    logs: set[str] | None
    try:
        logs = _log_buckets(rows)
    except NotKnownYet:
        logs = None

    def judge(bucket: Row) -> list[str]:
        name = bucket["outputs"]["bucket"]
        path = "rules.applyServerSideEncryptionByDefault.sseAlgorithm"
        algorithm = values_at(configurations[name], path)[0].value if name in configurations else None
        # In a first preview it may be unknown which buckets hold logs.
        wanted = ["aws:kms", "AES256"] if logs is None else ["AES256"] if name in logs else ["aws:kms"]
        if algorithm in wanted:
            return []
        words = " or ".join(wanted)
        return [f"{label(bucket)} is encrypted with {algorithm}; add an encryption configuration with {words}"]

    return judged(of_type(rows, "aws:s3/bucket:Bucket"), judge)


# The metadata key that names the KMS key of a restored copy [BACKUP-8].
_RESTORE_KEYS = {"Aurora": "kmsKeyId", "DynamoDB": "kmsMasterKeyArn", "S3": "kmsKey"}


def restore_test_regional_key(rows: Rows) -> list[str]:
    """Restore tests whose temporary copies are not encrypted with the data key of their region."""
    violations = []
    for row in of_type(rows, "aws:backup/restoreTestingSelection:RestoreTestingSelection"):
        key = _RESTORE_KEYS.get(row["inputs"].get("protectedResourceType", ""))
        given = (row["inputs"].get("restoreMetadataOverrides") or {}).get(key)
        if given not in _keys(rows, row["region"]):
            violations.append(f"{label(row)} restores with {key} {given}; use the data key of {row['region']}")
    return violations


def _keys(rows: Rows, region: str | None) -> set[str]:
    return {row["outputs"]["arn"] for row in of_type(rows, KEY) if row["region"] == region}


def _log_buckets(rows: Rows) -> set[str]:
    """The buckets of Application Load Balancers' access logs."""
    balancers = of_type(rows, "aws:lb/loadBalancer:LoadBalancer")
    found = [values_at(row, "accessLogs.bucket")[0] for row in balancers]
    if any(isinstance(each.value, Unknown) for each in found):
        raise NotKnownYet  # whose bucket it is
    return {each.value for each in found if each.value and each.within[0].get("loadBalancerType") == "application"}
