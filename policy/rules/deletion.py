"""What keeps a thing from being deleted: nothing, unless protection is switched on; then exactly what holds data or an
address (R13)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from policy.rules.rows import Row, Rows, environment_of, label, look, of_type

# What the SDK calls arguments that have to do with deletion.
DELETION_ARGUMENT = re.compile(
    r"protection|destroy|retain|recovery_window|final_snapshot|object_lock|deletion_window|force_|delete_automated"
)


@dataclass(frozen=True)
class Free:
    """What an input must be for the thing to be deletable without a person."""

    values: tuple[object, ...]  # None: not given
    why: str


_OFF = (False, None)
_PROTECTION = Free(_OFF, "must be lowered by an `up` before `destroy` [PULUMI-4]")
_EMPTIED = Free((True,), "a thing that still holds something is not deleted [S3-12] [BACKUP-6]")
_KEPT = Free(_OFF, "only leaves it out of the state, and behind in the account")

BLOCKING: Mapping[str, Mapping[str, Free]] = {
    "aws:backup/vault:Vault": {"forceDestroy": _EMPTIED},
    "aws:cloudwatch/logGroup:LogGroup": {"deletionProtectionEnabled": _PROTECTION, "skipDestroy": _KEPT},
    "aws:dynamodb/table:Table": {
        "deletionProtectionEnabled": _PROTECTION,
        # Of its own, not the table's [DYNAMODB-2].
        "replicas.deletionProtectionEnabled": _PROTECTION,
    },
    "aws:kms/key:Key": {"deletionWindowInDays": Free((7,), "the least that KMS allows [KMS-1]")},
    "aws:lambda/function:Function": {"skipDestroy": _KEPT},
    "aws:lambda/layerVersion:LayerVersion": {"skipDestroy": _KEPT},
    "aws:lb/loadBalancer:LoadBalancer": {"enableDeletionProtection": _PROTECTION},
    "aws:rds/cluster:Cluster": {
        "deletionProtection": _PROTECTION,
        "skipFinalSnapshot": Free((True,), "else `destroy` fails for want of a snapshot's name [AURORA-10]"),
        "finalSnapshotIdentifier": Free((None,), "snapshots outlive the cluster [AURORA-10]"),
        "deleteAutomatedBackups": Free((True, None), "backups outlive the cluster [AURORA-10]"),
    },
    "aws:rds/globalCluster:GlobalCluster": {
        "deletionProtection": _PROTECTION,
        "forceDestroy": Free((True,), "AWS deletes none that has members [AURORA-3]"),
    },
    "aws:s3/bucket:Bucket": {
        "forceDestroy": _EMPTIED,
        "objectLockEnabled": Free(_OFF, "objects under a lock cannot be deleted [S3-13]"),
        "objectLockConfiguration.objectLockEnabled": Free((None,), "objects under a lock cannot be deleted"),
    },
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {"skipDestroy": _KEPT},
    "aws:secretsmanager/secret:Secret": {
        "recoveryWindowInDays": Free((0,), "its name would stay taken [SECRETS-1]"),
        "forceOverwriteReplicaSecret": Free((True,), "a replica left over would stop the next one [SECRETS-1]"),
    },
}
# What `dr:protection` protects, as type, name and input. Logs, copies of secrets and keys are not among it: logs are no
# one's data, and a key goes only after the vaults and buckets that use it.
PROTECTABLE = frozenset(
    {
        ("aws:backup/vault:Vault", "vault-vault", "forceDestroy"),
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
# Environments that must be protected, by the name of their Pulumi stack.
PROTECTED = frozenset({"prod"})
# A zone's `forceDestroy` matters where others write records into it: not in a private one of a single name.
HARMLESS: Mapping[str, Mapping[str, str]] = {
    "aws:iam/role:Role": {"forceDetachPolicies": "what is attached is ours, and goes first"},
    "aws:lambda/function:Function": {"replaceSecurityGroupsOnDestroy": "hastens a deletion, blocks none [LAMBDA-3]"},
    "aws:lb/loadBalancer:LoadBalancer": {
        "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "has nothing to do with deletion"
    },
    "aws:rds/clusterInstance:ClusterInstance": {
        "forceDestroy": "would promote a reader before it goes; members are detached otherwise [AURORA-4]"
    },
    "aws:route53/zone:Zone": {"forceDestroy": "see `occupied_zones`"},
    "aws:cloudwatch/eventRule:EventRule": {"forceDestroy": "is for rules that AWS manages; ours are our own"},
    "aws:cloudwatch/eventTarget:EventTarget": {"forceDestroy": "is for targets of rules that AWS manages"},
}


@dataclass(frozen=True)
class Block:
    row: Row
    path: str
    value: object
    why: str

    @property
    def what(self) -> tuple[str, str, str]:
        """Type, name and input, alike in every stack."""
        return (str(self.row["type"]), str(self.row["name"]), self.path)


def known(token: str) -> set[str]:
    return {path for table in (BLOCKING, HARMLESS) for path in table.get(token, {})}


def blocks(rows: Rows) -> list[Block]:
    """Everything that stands in the way of a deletion on AWS."""
    return [
        Block(row, path, found.value, free.why)
        for token, paths in BLOCKING.items()
        for row in of_type(rows, token)
        for path, free in paths.items()
        for found in look(row, path)
        if found.value not in free.values
    ]


def undeletable(rows: Rows) -> list[str]:
    """What `destroy` would stop at, or leave behind."""
    return [f"{label(each.row)} has {each.path} {each.value}: {each.why}; change it" for each in blocks(rows)]


def kept_without_need(rows: Rows) -> list[str]:
    """What would keep something from being deleted that protection does not mean."""
    return [
        f"{label(each.row)} has {each.path} {each.value}: {each.why}; change it"
        for each in blocks(rows)
        if each.what not in PROTECTABLE
    ]


def unprotected(rows: Rows) -> list[str]:
    """What holds data or an address, and could be deleted by mistake where it must not be."""
    return [
        f"{label(row)} of {environment_of(row)} can be deleted by mistake; set dr:protection to true"
        for row in _unprotected(rows)
        if environment_of(row) in PROTECTED
    ]


def half_protected(rows: Rows) -> list[str]:
    """What can be deleted although the rest of its stack is protected: destroying would stop half-way."""
    on = any(each.what in PROTECTABLE for each in blocks(rows))
    return [
        f"{label(row)} can be deleted, the rest of {row['stack']} cannot; let dr:protection decide for all alike"
        for row in (_unprotected(rows) if on else [])
    ]


def _unprotected(rows: Rows) -> list[Row]:
    kept = {(str(each.row["urn"]), each.path) for each in blocks(rows)}
    return [
        row
        for token, name, path in sorted(PROTECTABLE)
        for row in of_type(rows, token)
        if row["name"] == name and (row["urn"], path) not in kept
    ]


def kept_by_pulumi(rows: Rows) -> list[str]:
    """What Pulumi itself would refuse to delete, or forget."""
    words = {"protect": "protected", "retain_on_delete": "retained", "deleted_with": "deleted with something else"}
    return [
        f"{label(row)} is {word} by its options; take {option} away"
        for row in rows
        for option, word in words.items()
        if row["options"].get(option)
    ]


def occupied_zones(rows: Rows) -> list[str]:
    """Public zones that others' records, such as those that validate certificates, would keep alive [R53-6]."""
    return [
        f"{label(row)} is kept by records that are not ours; set forceDestroy"
        for row in of_type(rows, "aws:route53/zone:Zone")
        if not row["inputs"].get("vpcs") and row["inputs"].get("forceDestroy") is not True
    ]


def held_by_a_gateway(rows: Rows) -> list[str]:
    """NLBs that may outlive the internet gateway, which cannot go while they have addresses [VPC-2]."""
    gateways = {row["urn"] for row in of_type(rows, "aws:ec2/internetGateway:InternetGateway")}
    return [
        f"{label(row)} does not depend on the internet gateway; say so"
        for row in of_type(rows, "aws:lb/loadBalancer:LoadBalancer", "aws:ec2/natGateway:NatGateway")
        if row["inputs"].get("internal") is not True and not gateways & set(row["options"]["depends_on"])
    ]
