"""What keeps any bucket of ours private."""

import pulumi
import pulumi_aws as aws


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
