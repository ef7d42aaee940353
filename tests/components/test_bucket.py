"""A region's data bucket and the bucket for its load balancer's logs."""

from collections.abc import Callable

import pulumi
import pulumi_aws as aws
import pytest

from components.storage.bucket import ALB_PREFIX, Bucket, BucketArgs, LogBucket, LogBucketArgs
from tests.components.documents import allowed_to, refuses_plain_http, statements
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
KEY = "arn:aws:kms:us-east-1:000000000000:key/data"


def data_bucket() -> None:
    provider = aws.Provider("primary", region="us-east-1")
    args = BucketArgs(name="bucket-primary-dev-000000000000", key_arn=KEY, noncurrent_days=30)
    Bucket("data", args, opts=pulumi.ResourceOptions(providers=[provider]))


def log_bucket() -> None:
    provider = aws.Provider("primary", region="us-east-1")
    args = LogBucketArgs(name="bucket-logs-primary-dev-000000000000", account="000000000000", retention_days=30)
    bucket = LogBucket("logs", args, opts=pulumi.ResourceOptions(providers=[provider]))
    pulumi.export("name", bucket.name)


BOTH = pytest.mark.parametrize("program", [data_bucket, log_bucket])


@BOTH
def test_no_one_outside_can_be_let_in(build: Build, program: Callable[[], None]) -> None:
    built = build(program)

    block = built.one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs
    assert {key: value for key, value in block.items() if key != "bucket"} == {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    ownership = built.one("aws:s3/bucketOwnershipControls:BucketOwnershipControls").inputs["rule"]
    assert ownership == {"objectOwnership": "BucketOwnerEnforced"}, "ACLs would count"


@BOTH
def test_plain_http_is_refused_for_bucket_and_objects(build: Build, program: Callable[[], None]) -> None:
    found = statements(build(program), "aws:s3/bucketPolicy:BucketPolicy")

    assert refuses_plain_http(found, "s3:*")
    resources = next(each["Resource"] for each in found if each["Effect"] == "Deny")
    assert {arn.endswith("/*") for arn in resources} == {True, False}


@BOTH
def test_the_policy_waits_for_the_public_access_block(build: Build, program: Callable[[], None]) -> None:
    built = build(program)

    block = built.one("BucketPublicAccessBlock").urn
    assert block in built.one("BucketPolicy").options["depends_on"], "S3 refuses both at once [S3-4]"


@BOTH
def test_a_bucket_is_emptied_when_it_is_destroyed(build: Build, program: Callable[[], None]) -> None:
    bucket = build(program).one("aws:s3/bucket:Bucket")

    assert bucket.inputs["forceDestroy"] is True
    assert bucket.options["protect"] is False


@BOTH
def test_keys_of_the_clients_own_are_blocked(build: Build, program: Callable[[], None]) -> None:
    rules = build(program).one("BucketServerSideEncryptionConfiguration").inputs["rules"]

    assert [rule["blockedEncryptionTypes"] for rule in rules] == [["SSE-C"]]


@BOTH
def test_settings_are_resources_of_their_own(build: Build, program: Callable[[], None]) -> None:
    inputs = set(build(program).one("aws:s3/bucket:Bucket").inputs)

    assert inputs == {"bucket", "forceDestroy"}, "inline settings and separate ones undo each other [S3-2]"


def test_objects_are_encrypted_with_our_key_by_a_bucket_key(build: Build) -> None:
    built = build(data_bucket)

    (rule,) = built.one(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    ).inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}
    assert rule["bucketKeyEnabled"] is True


def test_old_versions_and_abandoned_uploads_expire(build: Build) -> None:
    built = build(data_bucket)

    versioning = built.one("aws:s3/bucketVersioning:BucketVersioning")
    assert versioning.inputs["versioningConfiguration"] == {"status": "Enabled"}
    lifecycle = built.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    (rule,) = lifecycle.inputs["rules"]
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
    assert "days" not in rule["expiration"], "current data would be deleted"
    assert versioning.urn in lifecycle.options["depends_on"]


def test_logs_take_the_only_encryption_that_the_load_balancer_can_use(build: Build) -> None:
    """SSE-S3 [ALB-4]."""
    (rule,) = build(log_bucket).one("BucketServerSideEncryptionConfiguration").inputs["rules"]

    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}


def test_only_our_load_balancers_may_leave_logs_and_do_nothing_else(build: Build) -> None:
    found = statements(build(log_bucket), "BucketPolicy")

    (delivery,) = [each for each in found if each["Effect"] == "Allow"]
    assert delivery["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert delivery["Action"] == ["s3:PutObject"]
    assert delivery["Resource"] == [f"arn:aws:test:::logs-bucket/{ALB_PREFIX}/AWSLogs/000000000000/*"]
    assert allowed_to("delivery.logs.amazonaws.com", found) == [], "that is for TLS listeners of an NLB; ours has none"


def test_logs_are_deleted_after_their_time(build: Build) -> None:
    (rule,) = build(log_bucket).one("BucketLifecycleConfiguration").inputs["rules"]

    assert rule["expiration"] == {"days": 30}
    assert rule["status"] == "Enabled"


def test_who_logs_here_comes_after_the_policy_that_lets_it(build: Build) -> None:
    def program() -> None:
        bucket = LogBucket("logs", LogBucketArgs(name="logs-dev", account="000000000000", retention_days=7))
        aws.lb.LoadBalancer("alb", access_logs={"bucket": bucket.name, "prefix": ALB_PREFIX, "enabled": True})

    built = build(program)

    assert built.one("BucketPolicy").urn in built.one("LoadBalancer").dependencies


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: BucketArgs(name="bucket", key_arn=KEY, noncurrent_days=0),
        lambda: LogBucketArgs(name="bucket", account="000000000000", retention_days=0),
    ],
)
def test_keeping_for_no_time_at_all_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="S3 needs 1 or more"):
        wrong()
