"""A region's data bucket: versioned, encrypted with the region's own key, private, and emptied when destroyed. And the
bucket for the access logs of its Application Load Balancer.

Replication connects two regions and is in `components.storage.bucket_replication`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from components import iam
from components.iam import tls_only


def keep_private(prefix: str, bucket: aws.s3.Bucket, *, opts: pulumi.ResourceOptions) -> aws.s3.BucketPublicAccessBlock:
    """Block every kind of public access, and leave ACLs without effect: the bucket's owner owns each object in it.

    Returns the block, for the bucket's policy to wait for: S3 refuses conflicting changes of one bucket made at the
    same time [S3-4].
    """
    aws.s3.BucketOwnershipControls(
        f"{prefix}-ownership", bucket=bucket.id, rule={"object_ownership": "BucketOwnerEnforced"}, opts=opts
    )
    return aws.s3.BucketPublicAccessBlock(
        f"{prefix}-private",
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )


# Parts of uploads that never finished are paid for and seen by no listing.
ABANDONED_UPLOAD_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class BucketArgs:
    name: pulumi.Input[str]  # unique in all of AWS, so it carries the account [S3-1]
    key_arn: pulumi.Input[str]
    protected: bool = False  # from deletion while it holds objects
    noncurrent_days: int  # how long an overwritten or deleted version can still be had back
    tags: Mapping[str, str] = field(default_factory=dict)  # beside those of all things

    def __post_init__(self) -> None:
        if self.noncurrent_days < 1:
            raise ValueError(f"bucket keeps old versions for {self.noncurrent_days} days; S3 needs 1 or more")


class Bucket(pulumi.ComponentResource):
    """Settings are resources of their own, as the AWS provider requires [S3-2]."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(self, name: str, args: BucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:bucket:Bucket", name, None, opts)
        self._prefix, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        # With its versions, so that the environment can be destroyed without a person.
        bucket = aws.s3.Bucket(
            f"{name}-bucket",
            bucket=args.name,
            force_destroy=not args.protected,
            tags=dict(args.tags) or None,
            opts=self._child,
        )
        block = keep_private(name, bucket, opts=self._child)
        versioning = aws.s3.BucketVersioning(
            f"{name}-versioning",
            bucket=bucket.id,
            versioning_configuration={"status": "Enabled"},
            opts=self._child,
        )
        self._encryption(bucket)
        self._lifecycle(bucket, versioning)
        aws.s3.BucketPolicy(
            f"{name}-tls-only",
            bucket=bucket.id,
            policy=iam.document([tls_only("s3:*", [bucket.arn, pulumi.Output.concat(bucket.arn, "/*")])]),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[block]),
        )
        self.name, self.arn = bucket.bucket, bucket.arn
        self.register_outputs({"name": self.name, "arn": self.arn})

    def _encryption(self, bucket: aws.s3.Bucket) -> None:
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{self._prefix}-encryption",
            bucket=bucket.id,
            rules=[
                {
                    "apply_server_side_encryption_by_default": {
                        "sse_algorithm": "aws:kms",
                        "kms_master_key_id": self._args.key_arn,
                    },
                    # One data key for many objects: far fewer calls to KMS.
                    "bucket_key_enabled": True,
                    # The default of new buckets, explicit so that it is no drift [S3-3]. Objects under a client's own
                    # key could not be replicated either.
                    "blocked_encryption_types": ["SSE-C"],
                }
            ],
            opts=self._child,
        )

    def _lifecycle(self, bucket: aws.s3.Bucket, versioning: aws.s3.BucketVersioning) -> None:
        """Lifecycle actions are not replicated [S3-8]: each region cleans up its own bucket."""
        aws.s3.BucketLifecycleConfiguration(
            f"{self._prefix}-lifecycle",
            bucket=bucket.id,
            rules=[
                {
                    "id": "expire-old-versions",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "noncurrent_version_expiration": {"noncurrent_days": self._args.noncurrent_days},
                    # A delete marker that hides nothing any more.
                    "expiration": {"expired_object_delete_marker": True},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": ABANDONED_UPLOAD_DAYS},
                }
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )


ALB_PREFIX = "alb"
# Who writes them [ALB-4].
_LOG_DELIVERY = "logdelivery.elasticloadbalancing.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class LogBucketArgs:
    name: pulumi.Input[str]  # unique in all of AWS
    account: pulumi.Input[str]
    retention_days: int

    def __post_init__(self) -> None:
        if self.retention_days < 1:
            raise ValueError(f"log bucket keeps logs for {self.retention_days} days; S3 needs 1 or more")


class LogBucket(pulumi.ComponentResource):
    """For the ALB only: Network Load Balancers write access logs for TLS listeners only [NLB-3], and ours passes TCP.

    Encrypted with S3's own key, the only encryption that ALB access logs can be written with [ALB-4]: a customer key
    here would silently leave the bucket empty."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: LogBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:log_bucket:LogBucket", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        bucket = aws.s3.Bucket(f"{name}-bucket", bucket=args.name, force_destroy=True, opts=child)
        block = keep_private(name, bucket, opts=child)
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.id,
            rules=[
                {
                    "apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"},
                    "blocked_encryption_types": ["SSE-C"],
                }
            ],
            opts=child,
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=bucket.id,
            rules=[
                {
                    "id": "expire-logs",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "expiration": {"days": args.retention_days},
                }
            ],
            opts=child,
        )
        policy = aws.s3.BucketPolicy(
            f"{name}-delivery",
            bucket=bucket.id,
            policy=iam.document(_statements(bucket, args.account)),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[block]),
        )
        # From the policy: a load balancer with access logs tries to write at once, and fails without it.
        self.name = policy.bucket
        self.register_outputs({"name": self.name})


def _statements(bucket: aws.s3.Bucket, account: pulumi.Input[str]) -> list[dict[str, Any]]:
    # Load balancers of other accounts write below their own account's number, so the path is what keeps them out.
    logs = pulumi.Output.concat(bucket.arn, f"/{ALB_PREFIX}/AWSLogs/", account, "/*")
    delivery = iam.allow(["s3:PutObject"], [logs]) | {
        "Sid": "AllowLoadBalancerLogDelivery",
        "Principal": {"Service": _LOG_DELIVERY},
    }
    return [delivery, tls_only("s3:*", [bucket.arn, pulumi.Output.concat(bucket.arn, "/*")])]
