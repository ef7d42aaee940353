"""S3 bucket for the access logs of a region's Application Load Balancer.

Network Load Balancers write access logs for TLS listeners only [NLB-3]; ours passes TCP through, so only the
ALB may write here.
"""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import iam
from components.iam import tls_only
from components.storage.bucket import keep_private

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
    """Encrypted with S3's own key, the only encryption that ALB access logs can be written with [ALB-4]: a customer key
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
