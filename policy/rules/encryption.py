"""At rest, everything is encrypted with the data key of the region it lies in, wherever AWS takes a key (R6)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from policy.rules.rows import Found, Row, Rows, label, look, of_type

KEY = "aws:kms/key:Key"
PARAMETER = "aws:ssm/parameter:Parameter"
BUCKET_ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
# What the SDK calls an argument that takes a key, or that says whether to encrypt.
KEY_ARGUMENT = re.compile(r"kms|key_(id|arn|identifier)s?$|encrypt")

Home = Callable[[Row, Found, Rows], str | None]
"""The region whose key belongs there."""


def _own(row: Row, found: Found, rows: Rows) -> str | None:  # noqa: ARG001
    return str(row["region"])


def _beside(key: str) -> Home:
    """The region that stands next to the key: of a replica."""
    return lambda row, found, rows: found.within[-1].get(key)  # noqa: ARG005


def _of_destination(row: Row, found: Found, rows: Rows) -> str | None:  # noqa: ARG001
    arn = found.within[-2].get("bucket")
    return next(
        (each["region"] for each in of_type(rows, "aws:s3/bucket:Bucket") if each["outputs"]["arn"] == arn), None
    )


KEYS: Mapping[str, Mapping[str, Home]] = {
    "aws:backup/vault:Vault": {"kmsKeyArn": _own},
    "aws:cloudwatch/eventBus:EventBus": {"kmsKeyIdentifier": _own},
    "aws:cloudwatch/logGroup:LogGroup": {"kmsKeyId": _own},
    # A replica needs a key of its own region [DYNAMODB-3].
    "aws:dynamodb/table:Table": {"serverSideEncryption.kmsKeyArn": _own, "replicas.kmsKeyArn": _beside("regionName")},
    "aws:scheduler/schedule:Schedule": {"kmsKeyArn": _own},
    "aws:sfn/stateMachine:StateMachine": {"encryptionConfiguration.kmsKeyId": _own},
    "aws:lambda/function:Function": {"kmsKeyArn": _own, "sourceKmsKeyArn": _own},
    # Each member with the key of its region [AURORA-6].
    "aws:rds/cluster:Cluster": {"kmsKeyId": _own},
    BUCKET_ENCRYPTION: {"rules.applyServerSideEncryptionByDefault.kmsMasterKeyId": _own},
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": {
        # Without it, replicas of encrypted objects are not made [S3-7].
        "rules.destination.encryptionConfiguration.replicaKmsKeyId": _of_destination
    },
    # A replica without a key gets AWS's own [SECRETS-2].
    "aws:secretsmanager/secret:Secret": {"kmsKeyId": _own, "replicas.kmsKeyId": _beside("region")},
    # With SNS's own key, alarms would be dropped without a word [SNS-2].
    "aws:sns/topic:Topic": {"kmsMasterKeyId": _own},
    "aws:sqs/queue:Queue": {"kmsMasterKeyId": _own},
    PARAMETER: {"keyId": _own},
}
FLAGS: Mapping[str, Mapping[str, object]] = {
    "aws:dynamodb/table:Table": {"serverSideEncryption.enabled": True},
    # False unless said otherwise [AURORA-10]; all members of a global database alike [AURORA-11].
    "aws:rds/cluster:Cluster": {"storageEncrypted": True},
    "aws:rds/globalCluster:GlobalCluster": {"storageEncrypted": True},
    # Only then objects that a customer key encrypts are replicated [S3-7].
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": {
        "rules.sourceSelectionCriteria.sseKmsEncryptedObjects.status": "Enabled"
    },
    KEY: {"enableKeyRotation": True},
}


@dataclass(frozen=True)
class Unused:
    """Why an argument takes no key of ours. `while_off` is the feature whose data it would encrypt."""

    reason: str
    while_off: str | None = None


_INLINE = Unused(
    "inline settings of a bucket are deprecated and differ for ever [S3-2]; resources of their own say it",
    "serverSideEncryptionConfiguration",
)
_INSIGHTS = Unused("Performance Insights keeps nothing while it is off", "performanceInsightsEnabled")

UNUSED: Mapping[str, Mapping[str, Unused]] = {
    "aws:apigateway/usagePlanKey:UsagePlanKey": {"keyId": Unused("names a client's API key")},
    "aws:apigateway/methodSettings:MethodSettings": {
        "settings.cacheDataEncrypted": Unused("no answer is cached", "settings.cachingEnabled")
    },
    KEY: {"xksKeyId": Unused("names a key outside AWS; ours are KMS's own")},
    "aws:kms/alias:Alias": {"targetKeyId": Unused("names the key, encrypts nothing")},
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
    BUCKET_ENCRYPTION: {"rules.blockedEncryptionTypes": Unused("refuses keys that only a client knows, gives none")},
    "aws:lambda/eventSourceMapping:EventSourceMapping": {
        "kmsKeyArn": Unused("encrypts the filter, which says what a payment's key begins with and no secret")
    },
    "aws:sfn/stateMachine:StateMachine": {
        "encryptionConfiguration.kmsDataKeyReusePeriodSeconds": Unused("a time, not a key"),
        "encryptionConfiguration.type": Unused("says that there is a key; which one, the other argument"),
    },
    "aws:sqs/queue:Queue": {"kmsDataKeyReusePeriodSeconds": Unused("a time, not a key")},
}


def known(token: str) -> set[str]:
    """The arguments of a type that these tables speak of."""
    return {path for table in (KEYS, FLAGS, UNUSED) for path in table.get(token, {})}


def without_our_key(rows: Rows) -> list[str]:
    """What is not encrypted with the data key of its region."""
    violations = []
    for row in (each for token in KEYS for each in of_type(rows, token)):
        if _is_readable(row) or (
            row["type"] == BUCKET_ENCRYPTION and row["inputs"].get("bucket") in _log_buckets(rows)
        ):
            continue
        for path, home in KEYS[row["type"]].items():
            for found in look(row, path):
                region = home(row, found, rows)
                if found.value is None or found.value not in _keys(rows, region):
                    violations.append(f"{label(row)} has {path} {found.value}; give the data key of {region}")
    return violations


def without_any_key(rows: Rows) -> list[str]:
    """What names no key at all: told from the resource alone, before it is made."""
    return [
        f"{label(row)} names no key in {path}; give the data key of its region"
        for token, paths in KEYS.items()
        # Which buckets may do without, the load balancers that log into them say: see `buckets_without_encryption`.
        if token != BUCKET_ENCRYPTION
        for row in of_type(rows, token)
        for path in paths
        for found in look(row, path)
        if found.value is None and not _is_readable(row)
    ]


def _is_readable(row: Row) -> bool:
    """Parameters that hold no secret take no key (API SSM.PutParameter, KeyId)."""
    return bool(row["type"] == PARAMETER and row["inputs"].get("type") != "SecureString")


def not_switched_on(rows: Rows) -> list[str]:
    """Encryption, or rotation of a key, that is not on."""
    return [
        f"{label(row)} has {path} {found.value}; set it to {wanted}"
        for token, flags in FLAGS.items()
        for row in of_type(rows, token)
        for path, wanted in flags.items()
        for found in look(row, path)
        if found.value != wanted
    ]


def unused_but_on(rows: Rows) -> list[str]:
    """Features that would keep data under a key that is not ours."""
    return [
        f"{label(row)} has {unused.while_off} on, but no {path}; give the data key of {row['region']}"
        for token, paths in UNUSED.items()
        for row in of_type(rows, token)
        for path, unused in paths.items()
        if unused.while_off and look(row, unused.while_off)[0].value and not look(row, path)[0].value
    ]


def buckets_without_encryption(rows: Rows) -> list[str]:
    """Buckets that do not say how they encrypt. ALB access logs can be written with SSE-S3 only: another encryption
    leaves their bucket empty [ALB-4]."""
    said = {row["inputs"].get("bucket"): row for row in of_type(rows, BUCKET_ENCRYPTION)}
    violations = []
    for bucket in of_type(rows, "aws:s3/bucket:Bucket"):
        name = bucket["outputs"]["bucket"]
        wanted = "AES256" if name in _log_buckets(rows) else "aws:kms"
        path = "rules.applyServerSideEncryptionByDefault.sseAlgorithm"
        algorithm = look(said[name], path)[0].value if name in said else None
        if algorithm != wanted:
            violations.append(f"{label(bucket)} is encrypted with {algorithm}; give it a configuration with {wanted}")
    return violations


# What names the key of a restored copy [BACKUP-8].
_RESTORED = {"Aurora": "kmsKeyId", "DynamoDB": "kmsMasterKeyArn", "S3": "kmsKey"}


def restored_without_our_key(rows: Rows) -> list[str]:
    """Copies that restore testing makes, if only for an hour."""
    violations = []
    for row in of_type(rows, "aws:backup/restoreTestingSelection:RestoreTestingSelection"):
        key = _RESTORED.get(row["inputs"].get("protectedResourceType", ""))
        given = (row["inputs"].get("restoreMetadataOverrides") or {}).get(key)
        if given not in _keys(rows, row["region"]):
            violations.append(f"{label(row)} restores with {key} {given}; give the data key of {row['region']}")
    return violations


def _keys(rows: Rows, region: str | None) -> set[str]:
    return {row["outputs"]["arn"] for row in of_type(rows, KEY) if row["region"] == region}


def _log_buckets(rows: Rows) -> set[str]:
    """Where Application Load Balancers leave their access logs."""
    balancers = of_type(rows, "aws:lb/loadBalancer:LoadBalancer")
    found = [look(row, "accessLogs.bucket")[0] for row in balancers]
    return {each.value for each in found if each.value and each.within[0].get("loadBalancerType") == "application"}
