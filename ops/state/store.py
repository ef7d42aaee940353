"""A backend in two regions: a bucket in each, replicated both ways, and a KMS multi-Region key for secrets.

Replicas are not replicated again [S3-8], so two ways do no harm, and what was written during a loss of the first region
comes back by itself.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ops.environment.aws import Client

Print = Callable[[str], None]
_NO_LOCATION = "us-east-1"  # CreateBucket accepts every region but this one as a location


@dataclass(frozen=True, kw_only=True)
class Store:
    """`region` is where the state is used, `copy_region` where its copy is."""

    name: str
    region: str
    copy_region: str

    @property
    def regions(self) -> tuple[str, str]:
        return self.region, self.copy_region

    def bucket(self, region: str) -> str:
        return f"{self.name}-{region}"

    @property
    def alias(self) -> str:
        return f"alias/{self.name}"

    @property
    def backend(self) -> str:
        return f"s3://{self.bucket(self.region)}?region={self.region}"

    def secrets_provider(self, key: str) -> str:
        return f"awskms://{key}?region={self.region}"


def create(store: Store, client: Client, show: Print) -> str:
    """Create what is missing of `store`, and return the key's id. Repeatable."""
    for region in store.regions:
        _bucket(store.bucket(region), region, client("s3", region))
        show(f"bucket {store.bucket(region)} in {region}: versioned, private, TLS only")
    role = _role(store, client("iam", store.region))
    for region, other in (store.regions, store.regions[::-1]):
        _replicate(client("s3", region), store.bucket(region), store.bucket(other), role)
        show(f"{store.bucket(region)} is replicated to {store.bucket(other)}")
    key = _key(store, client)
    show(f"key {key} ({store.alias}) in {' and '.join(store.regions)}")
    return key


def _bucket(name: str, region: str, s3: Any) -> None:
    where = {} if region == _NO_LOCATION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=name, **where)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
    s3.put_public_access_block(
        Bucket=name,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    arn = f"arn:aws:s3:::{name}"
    statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def _role(store: Store, iam: Any) -> str:
    """The role with which S3 replicates; its ARN [S3-9]."""
    name = f"{store.name}-replication"
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    try:
        arn = iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )["Role"]["Arn"]
    except iam.exceptions.EntityAlreadyExistsException:
        arn = iam.get_role(RoleName=name)["Role"]["Arn"]
    buckets = [f"arn:aws:s3:::{store.bucket(region)}" for region in store.regions]
    read = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"]
    write = ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"]
    allowed = [
        {"Effect": "Allow", "Action": ["s3:GetReplicationConfiguration", "s3:ListBucket"], "Resource": buckets},
        {"Effect": "Allow", "Action": [*read, *write], "Resource": [f"{bucket}/*" for bucket in buckets]},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=document)
    return str(arn)


def _replicate(s3: Any, bucket: str, other: str, role: str) -> None:
    rule = {
        "ID": "state",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Enabled"},  # a lock that was removed is removed in the copy
        "Destination": {"Bucket": f"arn:aws:s3:::{other}"},
    }
    s3.put_bucket_replication(Bucket=bucket, ReplicationConfiguration={"Role": role, "Rules": [rule]})


def _key(store: Store, client: Client) -> str:
    """The id of the multi-Region key, the same in both regions."""
    here = client("kms", store.region)
    key = _aliased(here, store.alias)
    if key is None:
        key = str(here.create_key(MultiRegion=True, Description=f"Pulumi state {store.name}")["KeyMetadata"]["KeyId"])
        here.create_alias(AliasName=store.alias, TargetKeyId=key)
    here.enable_key_rotation(KeyId=key)
    copy = client("kms", store.copy_region)
    if _aliased(copy, store.alias) is None:
        with suppress(here.exceptions.AlreadyExistsException):  # of a call that was interrupted before the alias
            here.replicate_key(KeyId=key, ReplicaRegion=store.copy_region)
    if _aliased(copy, store.alias) is None:
        copy.create_alias(AliasName=store.alias, TargetKeyId=key)
    return key


def _aliased(kms: Any, alias: str) -> str | None:
    try:
        return str(kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"])
    except kms.exceptions.NotFoundException:
        return None
