"""Buckets with everything around them, and a bucket in the other region that gets the copies."""

from tests.runner.cases import Case, Reading

PROGRAM = """
bucket = aws.s3.Bucket("evidence", bucket="runner-evidence", force_destroy=True, opts=opts)
copies = aws.s3.Bucket("copies", bucket="runner-copies", region="us-east-2", force_destroy=True, opts=opts)
versions = [
    aws.s3.BucketVersioning(f"{made._name}", bucket=made.id, region=region,
                            versioning_configuration={"status": "Enabled"}, opts=opts)
    for made, region in ((bucket, "us-east-1"), (copies, "us-east-2"))
]
aws.s3.BucketServerSideEncryptionConfiguration(
    "evidence", bucket=bucket.id, opts=opts,
    rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms"}, "bucket_key_enabled": True}],
)
aws.s3.BucketPublicAccessBlock(
    "evidence", bucket=bucket.id, block_public_acls=True, block_public_policy=True, ignore_public_acls=True,
    restrict_public_buckets=True, opts=opts,
)
aws.s3.BucketOwnershipControls(
    "evidence", bucket=bucket.id, rule={"object_ownership": "BucketOwnerEnforced"}, opts=opts
)
aws.s3.BucketPolicy(
    "evidence", bucket=bucket.id, opts=opts,
    policy=bucket.arn.apply(lambda arn: json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"{arn}/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }]})),
)
aws.s3.BucketLifecycleConfiguration(
    "evidence", bucket=bucket.id, opts=opts,
    rules=[{"id": "old", "status": "Enabled", "filter": {"prefix": "logs/"},
            "noncurrent_version_expiration": {"noncurrent_days": 30}}],
)
role = aws.iam.Role("copier", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": []}), opts=opts)
aws.s3.BucketReplicationConfig(
    "evidence", bucket=bucket.id, role=role.arn,
    rules=[{"id": "all", "status": "Enabled", "priority": 1, "filter": {"prefix": ""},
            "delete_marker_replication": {"status": "Enabled"},
            "destination": {"bucket": copies.arn, "metrics": {"status": "Enabled", "event_threshold": {"minutes": 15}},
                            "replication_time": {"status": "Enabled", "time": {"minutes": 15}}}}],
    opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=versions)),
)
pulumi.export("bucket", bucket.id)
pulumi.export("domain", copies.bucket_regional_domain_name)
"""

_BUCKET = {"Bucket": "runner-evidence"}

CASE = Case(
    PROGRAM,
    {
        "aws:s3/bucket:Bucket": Reading(
            lambda aws, out: {
                "Tags": aws("s3").get_bucket_tagging(**_BUCKET)["TagSet"],
                "Where": aws("s3", "us-east-2").get_bucket_location(Bucket="runner-copies")["LocationConstraint"],
                "Domain": out["domain"],
            },
            {
                "Tags": [{"Key": "Application", "Value": "dr"}],
                "Where": "us-east-2",
                "Domain": "runner-copies.s3.us-east-2.amazonaws.com",
            },
        ),
        "aws:s3/bucketVersioning:BucketVersioning": Reading(
            lambda aws, _: aws("s3").get_bucket_versioning(**_BUCKET), {"Status": "Enabled"}
        ),
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Reading(
            lambda aws, _: aws("s3").get_bucket_encryption(**_BUCKET)["ServerSideEncryptionConfiguration"]["Rules"][0][
                "ApplyServerSideEncryptionByDefault"
            ],
            {"SSEAlgorithm": "aws:kms"},
        ),
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Reading(
            lambda aws, _: aws("s3").get_public_access_block(**_BUCKET)["PublicAccessBlockConfiguration"],
            {"BlockPublicAcls": True, "RestrictPublicBuckets": True},
        ),
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Reading(
            lambda aws, _: aws("s3").get_bucket_ownership_controls(**_BUCKET)["OwnershipControls"]["Rules"][0],
            {"ObjectOwnership": "BucketOwnerEnforced"},
        ),
        "aws:s3/bucketPolicy:BucketPolicy": Reading(
            lambda aws, _: {"Denies": "aws:SecureTransport" in aws("s3").get_bucket_policy(**_BUCKET)["Policy"]},
            {"Denies": True},
        ),
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Reading(
            lambda aws, _: aws("s3").get_bucket_lifecycle_configuration(**_BUCKET)["Rules"][0],
            {"ID": "old", "NoncurrentVersionExpiration": {"NoncurrentDays": 30}},
        ),
        "aws:s3/bucketReplicationConfig:BucketReplicationConfig": Reading(
            lambda aws, _: {
                **(rule := aws("s3").get_bucket_replication(**_BUCKET)["ReplicationConfiguration"]["Rules"][0]),
                "To": rule["Destination"]["Bucket"],
            },
            {"ID": "all", "Status": "Enabled", "To": "arn:aws:s3:::runner-copies"},
        ),
    },
    edits=(
        ('"noncurrent_days": 30', '"noncurrent_days": 31'),
        ('{"id": "all", "status": "Enabled", "priority": 1', '{"id": "all", "status": "Disabled", "priority": 1'),
        ("block_public_acls=True", "block_public_acls=False"),
        ('"sse_algorithm": "aws:kms"', '"sse_algorithm": "AES256"'),
    ),
    changed={
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {
            "NoncurrentVersionExpiration": {"NoncurrentDays": 31}
        },
        "aws:s3/bucketReplicationConfig:BucketReplicationConfig": {"Status": "Disabled"},
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {"BlockPublicAcls": False},
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {
            "SSEAlgorithm": "AES256"
        },
    },
)
