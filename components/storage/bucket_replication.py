"""Replication of the two data buckets, both ways, within 15 minutes (S3 Replication Time Control).

The buckets and their versioning are the regional stacks'. Both exist when the global stack runs, as S3 demands before
it accepts a replication configuration [S3-5]; and since global is destroyed first, nothing refills a bucket that a
regional stack is emptying.
"""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import iam
from shared.naming import Names
from shared.places import Place
from shared.references import RegionHandle, Regions

# The only value that S3 accepts (API S3.ReplicationTimeValue).
_MINUTES = 15


def rule_id(source: Place) -> str:
    """The id of the rule that replicates away from `source`: fixed, since it is a dimension of the rule's metrics."""
    return f"{source}-to-{source.other}"


@dataclass(frozen=True, kw_only=True)
class BucketReplicationArgs:
    names: Names
    regions: Regions


class BucketReplication(pulumi.ComponentResource):
    """Each bucket is the other's copy: new objects, delete markers and changes of a copy's metadata go both ways.
    Replicas are not sent back. What was in a bucket before is not copied (that needs S3 Batch Replication)."""

    def __init__(self, name: str, args: BucketReplicationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:bucket:BucketReplication", name, None, opts)
        self._prefix, self._args = name, args
        for place in Place:
            self._direction(place)
        self.register_outputs({})

    def _direction(self, place: Place) -> None:
        source, target = self._args.regions[place], self._args.regions[place.other]
        child = pulumi.ResourceOptions(parent=self, provider=source.provider)
        role, policy = iam.service_role(
            f"{self._prefix}-{place}",
            name=self._args.names.regional("role-replication", place),
            trust=iam.trust("s3.amazonaws.com"),
            statements=lambda _: _statements(source, target),
            opts=child,
        )
        aws.s3.BucketReplicationConfig(
            f"{self._prefix}-{place}",
            bucket=source.outputs.storage.bucket_name,
            role=role.arn,
            rules=[_rule(place, target)],
            # S3 tries the role out when it is given one.
            opts=pulumi.ResourceOptions(parent=self, provider=source.provider, depends_on=[policy]),
        )


def _rule(place: Place, target: RegionHandle) -> Any:
    return {
        "id": rule_id(place),
        "status": "Enabled",
        "priority": 1,
        # A prefix that every key has: an empty filter is never the same twice [S3-6].
        "filter": {"prefix": ""},
        "delete_marker_replication": {"status": "Enabled"},
        "source_selection_criteria": {
            "sse_kms_encrypted_objects": {"status": "Enabled"},
            "replica_modifications": {"status": "Enabled"},
        },
        "destination": {
            "bucket": target.outputs.storage.bucket_arn,
            "encryption_configuration": {"replica_kms_key_id": target.outputs.storage.data_key_arn},
            "replication_time": {"status": "Enabled", "time": {"minutes": _MINUTES}},
            "metrics": {"status": "Enabled", "event_threshold": {"minutes": _MINUTES}},
        },
    }


def _statements(source: RegionHandle, target: RegionHandle) -> list[dict[str, Any]]:
    """The permissions that replication needs [S3-9]."""
    return [
        iam.allow(["s3:GetReplicationConfiguration", "s3:ListBucket"], [source.outputs.storage.bucket_arn]),
        iam.allow(
            ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"],
            [_objects(source)],
        ),
        iam.allow(["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"], [_objects(target)]),
        iam.allow(["kms:Decrypt"], [source.outputs.storage.data_key_arn], condition=_for_objects_of(source)),
        iam.allow(
            ["kms:Encrypt", "kms:GenerateDataKey"],
            [target.outputs.storage.data_key_arn],
            condition=_for_objects_of(target),
        ),
    ]


def _objects(region: RegionHandle) -> pulumi.Output[str]:
    return pulumi.Output.concat(region.outputs.storage.bucket_arn, "/*")


def _for_objects_of(region: RegionHandle) -> iam.Condition:
    """Through S3 and for this bucket's objects only. The encryption context is the bucket where a bucket key is used,
    else the object [S3-10]."""
    return {
        "StringEquals": {"kms:ViaService": f"s3.{region.region}.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": [region.outputs.storage.bucket_arn, _objects(region)]},
    }
