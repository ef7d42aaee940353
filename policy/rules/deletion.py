"""Deletion protection: off by default, with `dr:protection` on every resource that holds data or an address (R13)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from policy.rules.rows import Row, Rows, environment_of, label, of_type, values_at

# The provider's names for arguments that affect deletion.
DELETION_ARGUMENT = re.compile(
    r"protection|destroy|retain|recovery_window|final_snapshot|object_lock|deletion_window|force_|delete_automated"
)


@dataclass(frozen=True)
class Allowed:
    """The values of an input with which the resource can be deleted unattended."""

    values: tuple[object, ...]  # None: not set
    why: str


_OFF = (False, None)
_PROTECTION = Allowed(_OFF, "must be lowered by an `up` before `destroy` [PULUMI-4]")
_EMPTIED = Allowed((True,), "AWS deletes it only when it is empty [S3-12] [BACKUP-6]")
_KEPT = Allowed(_OFF, "`destroy` would only remove it from the state and leave it in the account")

BLOCKING: Mapping[str, Mapping[str, Allowed]] = {
    "aws:backup/vault:Vault": {"forceDestroy": _EMPTIED},
    "aws:cloudwatch/logGroup:LogGroup": {"deletionProtectionEnabled": _PROTECTION, "skipDestroy": _KEPT},
    "aws:dynamodb/table:Table": {
        "deletionProtectionEnabled": _PROTECTION,
        # Each replica has a setting of its own [DYNAMODB-2].
        "replicas.deletionProtectionEnabled": _PROTECTION,
    },
    "aws:kms/key:Key": {"deletionWindowInDays": Allowed((7,), "KMS's minimum is 7 days [KMS-1]")},
    "aws:lambda/function:Function": {"skipDestroy": _KEPT},
    "aws:lambda/layerVersion:LayerVersion": {"skipDestroy": _KEPT},
    "aws:lb/loadBalancer:LoadBalancer": {"enableDeletionProtection": _PROTECTION},
    "aws:rds/cluster:Cluster": {
        "deletionProtection": _PROTECTION,
        "skipFinalSnapshot": Allowed((True,), "otherwise `destroy` fails without a snapshot name [AURORA-10]"),
        "finalSnapshotIdentifier": Allowed((None,), "snapshots outlive the cluster [AURORA-10]"),
        "deleteAutomatedBackups": Allowed((True, None), "backups outlive the cluster [AURORA-10]"),
    },
    "aws:rds/globalCluster:GlobalCluster": {
        "deletionProtection": _PROTECTION,
        "forceDestroy": Allowed((True,), "AWS does not delete one that has members [AURORA-3]"),
    },
    "aws:s3/bucket:Bucket": {
        "forceDestroy": _EMPTIED,
        "objectLockEnabled": Allowed(_OFF, "objects under a lock cannot be deleted [S3-13]"),
        "objectLockConfiguration.objectLockEnabled": Allowed((None,), "objects under a lock cannot be deleted"),
    },
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {"skipDestroy": _KEPT},
    "aws:secretsmanager/secret:Secret": {
        "recoveryWindowInDays": Allowed((0,), "its name would stay reserved [SECRETS-1]"),
        "forceOverwriteReplicaSecret": Allowed((True,), "a left-over replica would block the next one [SECRETS-1]"),
    },
}
# What `dr:protection` protects, as type, name and input. Logs, secret replicas and keys are left out: logs are not
# business data, and a key is deleted only after the vaults and buckets that use it.
PROTECTABLE = frozenset(
    {
        ("aws:backup/vault:Vault", "vault-vault", "forceDestroy"),
        ("aws:dynamodb/table:Table", "backlog-table", "deletionProtectionEnabled"),
        ("aws:dynamodb/table:Table", "journal-table", "deletionProtectionEnabled"),
        ("aws:dynamodb/table:Table", "journal-table", "replicas.deletionProtectionEnabled"),
        ("aws:lb/loadBalancer:LoadBalancer", "front-door-alb", "enableDeletionProtection"),
        ("aws:lb/loadBalancer:LoadBalancer", "front-door-nlb", "enableDeletionProtection"),
        ("aws:rds/cluster:Cluster", "database-primary", "deletionProtection"),
        ("aws:rds/cluster:Cluster", "database-secondary", "deletionProtection"),
        ("aws:rds/globalCluster:GlobalCluster", "database-global", "deletionProtection"),
        ("aws:s3/bucket:Bucket", "bucket-bucket", "forceDestroy"),
    }
)
# Environments that must be protected, by Pulumi stack name.
PROTECTED = frozenset({"prod"})
# Deletion arguments that block nothing. A zone's `forceDestroy` matters only where others create records in the zone,
# not in a private zone of a single name.
HARMLESS: Mapping[str, Mapping[str, str]] = {
    "aws:iam/role:Role": {"forceDetachPolicies": "the attached policies are in the same stack and are deleted first"},
    "aws:lambda/function:Function": {"replaceSecurityGroupsOnDestroy": "speeds up a deletion, blocks none [LAMBDA-3]"},
    "aws:lb/loadBalancer:LoadBalancer": {
        "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "does not affect deletion"
    },
    "aws:rds/clusterInstance:ClusterInstance": {
        "forceDestroy": "would promote a reader before its deletion; the global cluster detaches members [AURORA-4]"
    },
    "aws:route53/zone:Zone": {"forceDestroy": "see `zone_force_destroy_required`"},
    "aws:cloudwatch/eventRule:EventRule": {"forceDestroy": "is for rules that AWS manages; these are not"},
    "aws:cloudwatch/eventTarget:EventTarget": {"forceDestroy": "is for targets of rules that AWS manages"},
}


@dataclass(frozen=True)
class Blocker:
    """An input with which AWS or the provider would not delete the resource."""

    row: Row
    path: str
    value: object
    why: str

    @property
    def what(self) -> tuple[str, str, str]:
        """Type, name and input: the same in every stack."""
        return (str(self.row["type"]), str(self.row["name"]), self.path)


def known_arguments(token: str) -> set[str]:
    return {path for table in (BLOCKING, HARMLESS) for path in table.get(token, {})}


def blockers(rows: Rows) -> list[Blocker]:
    """Every input that blocks a deletion on AWS."""
    return [
        Blocker(row, path, found.value, allowed.why)
        for token, paths in BLOCKING.items()
        for row in of_type(rows, token)
        for path, allowed in paths.items()
        for found in values_at(row, path)
        if found.value not in allowed.values
    ]


def undeletable(rows: Rows) -> list[str]:
    """Resources that `destroy` would fail on or leave behind."""
    return [f"{label(each.row)} has {each.path} {each.value}: {each.why}; change it" for each in blockers(rows)]


def protection_only_when_enabled(rows: Rows) -> list[str]:
    """Inputs that block a deletion and do not belong to `dr:protection`."""
    return [
        f"{label(each.row)} has {each.path} {each.value}: {each.why}; change it"
        for each in blockers(rows)
        if each.what not in PROTECTABLE
    ]


def protection_required(rows: Rows) -> list[str]:
    """Resources that hold data or an address and are unprotected in a protected environment."""
    return [
        f"{label(row)} of {environment_of(row)} can be deleted by mistake; set dr:protection to true"
        for row in _unprotected(rows)
        if environment_of(row) in PROTECTED
    ]


def protection_consistent(rows: Rows) -> list[str]:
    """Unprotected resources of a stack that is otherwise protected: a `destroy` would fail half-way."""
    on = any(each.what in PROTECTABLE for each in blockers(rows))
    return [
        f"{label(row)} is not protected like the rest of {row['stack']}; follow dr:protection for all of them"
        for row in (_unprotected(rows) if on else [])
    ]


def _unprotected(rows: Rows) -> list[Row]:
    kept = {(str(each.row["urn"]), each.path) for each in blockers(rows)}
    return [
        row
        for token, name, path in sorted(PROTECTABLE)
        for row in of_type(rows, token)
        if row["name"] == name and (row["urn"], path) not in kept
    ]


def protect_or_retain_denied(rows: Rows) -> list[str]:
    """Resources that Pulumi's own options keep from being deleted."""
    words = {"protect": "protected", "retain_on_delete": "retained", "deleted_with": "deleted with another resource"}
    return [
        f"{label(row)} is {word} by its options; remove {option}"
        for row in rows
        for option, word in words.items()
        if row["options"].get(option)
    ]


def zone_force_destroy_required(rows: Rows) -> list[str]:
    """Public zones that records from outside the stack, such as certificate validation, keep from deletion [R53-6]."""
    return [
        f"{label(row)} cannot be deleted while it holds records of others; set forceDestroy"
        for row in of_type(rows, "aws:route53/zone:Zone")
        if not row["inputs"].get("vpcs") and row["inputs"].get("forceDestroy") is not True
    ]


def nlb_before_internet_gateway(rows: Rows) -> list[str]:
    """NLBs and NAT gateways without a dependency on the internet gateway, which AWS deletes after them only [VPC-2]."""
    gateways = {row["urn"] for row in of_type(rows, "aws:ec2/internetGateway:InternetGateway")}
    return [
        f"{label(row)} does not depend on the internet gateway; add it to depends_on"
        for row in of_type(rows, "aws:lb/loadBalancer:LoadBalancer", "aws:ec2/natGateway:NatGateway")
        if row["inputs"].get("internal") is not True and not gateways & set(row["options"]["depends_on"])
    ]
