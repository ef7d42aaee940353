"""Buckets and the resources that each hold one part of a bucket's configuration."""

from typing import Any

from localaws.provider.context import Context
from localaws.provider.table import Call, Do, Entry, Name, Tags

# https://docs.aws.amazon.com/general/latest/gr/s3.html, hosted zones for website endpoints
_ZONES = {"us-east-1": "Z3AQBSTGFYJSTF", "us-east-2": "Z2O1EMRO9K5GLX", "us-west-2": "Z3BJ6K6RIION7M"}


def _create(context: Context) -> dict[str, Any]:
    given = context.inputs
    asked: dict[str, Any] = {"Bucket": given["bucket"]}
    if context.region != "us-east-1":
        asked["CreateBucketConfiguration"] = {"LocationConstraint": context.region}
    if given.get("objectLockEnabled"):
        asked["ObjectLockEnabledForBucket"] = True
    return context.call("create_bucket", asked)


def _empty(context: Context) -> None:
    """With forceDestroy, every version and delete marker goes before the bucket does."""
    if not context.get("in.forceDestroy"):
        return
    while True:
        page = context.call("list_object_versions", {"Bucket": context.id})
        found = [*(page.get("Versions") or []), *(page.get("DeleteMarkers") or [])]
        if not found:
            return
        objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
        context.call("delete_objects", {"Bucket": context.id, "Delete": {"Objects": objects, "Quiet": True}})


def _part(
    put: str, parameters: dict[str, Any], delete: Call | None, *takes: str, provider_only: dict[str, str] | None = None
) -> Entry:
    """A part of a bucket's configuration: put on creation and on every change, its id is the bucket's name."""
    call = Call(put, {"Bucket": "{in.bucket}", **parameters}, takes=takes)
    again = Call(put, {"Bucket": "{id}", **parameters}, takes=takes)
    return Entry(
        service="s3",
        create=call,
        update=(again,),
        id="{in.bucket}",
        delete=(delete,) if delete else (),
        provider_only=provider_only or {},
        rename={"applyServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"},
    )


def _gone(operation: str) -> Call:
    return Call(operation, {"Bucket": "{id}"})


def _encryption_rules(context: Context) -> list[dict[str, Any]]:
    """Pulumi lists the blocked encryption types where S3 wraps that list."""
    blocked = "blockedEncryptionTypes"
    return [
        {**rule, blocked: {"EncryptionType": rule[blocked]}} if rule.get(blocked) else rule
        for rule in context.inputs["rules"]
    ]


TYPES = {
    "aws:s3/bucket:Bucket": Entry(
        service="s3",
        create=Do(_create, takes=("bucket", "objectLockEnabled")),
        id="{in.bucket}",
        delete=(Do(_empty), _gone("delete_bucket")),
        autoname=Name(argument="bucket", limit=63, lower=True),
        defaults={"forceDestroy": False},
        provider_only={"forceDestroy": "counts when the bucket is deleted"},
        tags=Tags(resource="{id}", inline=False),
        outputs={
            "arn": "arn:aws:s3:::{id}",
            "bucketDomainName": "{id}.s3.amazonaws.com",
            "bucketRegion": "{region}",
            "bucketRegionalDomainName": "{id}.s3.{region}.amazonaws.com",
            "hostedZoneId": lambda context: _ZONES.get(context.region, ""),
            "websiteDomain": "",
            "websiteEndpoint": "",
        },
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _part(
        "put_bucket_versioning",
        {"VersioningConfiguration": "{in.versioningConfiguration}", "MFA": "{in.mfa}"},
        Call("put_bucket_versioning", {"Bucket": "{id}", "VersioningConfiguration": {"Status": "Suspended"}}),
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _part(
        "put_bucket_encryption",
        {"ServerSideEncryptionConfiguration": {"Rules": _encryption_rules}},
        _gone("delete_bucket_encryption"),
        "rules",
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _part(
        "put_public_access_block",
        {
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": "{in.blockPublicAcls}",
                "BlockPublicPolicy": "{in.blockPublicPolicy}",
                "IgnorePublicAcls": "{in.ignorePublicAcls}",
                "RestrictPublicBuckets": "{in.restrictPublicBuckets}",
            }
        },
        _gone("delete_public_access_block"),
        provider_only={"skipDestroy": "only changes how the provider deletes"},
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _part(
        "put_bucket_ownership_controls",
        {"OwnershipControls": {"Rules": ["{in.rule}"]}},
        _gone("delete_bucket_ownership_controls"),
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _part(
        "put_bucket_policy", {"Policy": "{in.policy}"}, _gone("delete_bucket_policy")
    ),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": _part(
        "put_bucket_replication",
        {"ReplicationConfiguration": {"Role": "{in.role}", "Rules": "{in.rules}"}},
        _gone("delete_bucket_replication"),
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _part(
        "put_bucket_lifecycle_configuration",
        {
            "LifecycleConfiguration": {"Rules": "{in.rules}"},
            "TransitionDefaultMinimumObjectSize": "{in.transitionDefaultMinimumObjectSize}",
        },
        _gone("delete_bucket_lifecycle"),
        provider_only={"timeouts": "how long the provider waits"},
    ),
}
