"""Replication of the two data buckets."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from components.storage.bucket_replication import BucketReplication, BucketReplicationArgs, rule_id
from shared.naming import Names
from shared.places import Place
from tests.components.documents import statements
from tests.handles import REGIONS, handles
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
PLACES = pytest.mark.parametrize("place", list(Place))


def bucket(place: Place) -> str:
    return f"bucket-{place}-dev"


def key(place: Place) -> str:
    return f"arn:aws:kms:{REGIONS[place]}:000000000000:key/{place}"


def replication() -> None:
    regions = handles(
        {
            place: {
                "storage.bucket_name": bucket(place),
                "storage.bucket_arn": f"arn:aws:s3:::{bucket(place)}",
                "storage.data_key_arn": key(place),
            }
            for place in Place
        }
    )
    BucketReplication("objects", BucketReplicationArgs(names=Names("dev"), regions=regions))


def rule(built: Built, place: Place) -> Any:
    config = built.one("aws:s3/bucketReplicationConfig:BucketReplicationConfig", f"objects-{place}")
    assert config.inputs["bucket"] == bucket(place)
    (only,) = config.inputs["rules"]
    return only


@PLACES
def test_each_bucket_is_copied_to_the_other_with_the_others_key(build: Build, place: Place) -> None:
    found = rule(build(replication), place)

    assert found["status"] == "Enabled"
    assert found["destination"]["bucket"] == f"arn:aws:s3:::{bucket(place.other)}"
    assert found["destination"]["encryptionConfiguration"] == {"replicaKmsKeyId": key(place.other)}
    assert found["sourceSelectionCriteria"]["sseKmsEncryptedObjects"] == {"status": "Enabled"}, "S3 would skip them all"


@PLACES
def test_copies_are_promised_and_measured_within_15_minutes(build: Build, place: Place) -> None:
    destination = rule(build(replication), place)["destination"]

    assert destination["replicationTime"] == {"status": "Enabled", "time": {"minutes": 15}}
    assert destination["metrics"] == {"status": "Enabled", "eventThreshold": {"minutes": 15}}


@PLACES
def test_deletions_and_changes_of_copies_travel_too(build: Build, place: Place) -> None:
    found = rule(build(replication), place)

    assert found["deleteMarkerReplication"] == {"status": "Enabled"}
    assert found["sourceSelectionCriteria"]["replicaModifications"] == {"status": "Enabled"}
    assert found["filter"] == {"prefix": ""}, "both need the newer form of rule, which has a filter [S3-6]"


def test_the_rules_ids_are_fixed_since_metrics_are_found_by_them(build: Build) -> None:
    built = build(replication)

    ids = {place: rule(built, place)["id"] for place in Place}
    assert ids == {Place.PRIMARY: "primary-to-secondary", Place.SECONDARY: "secondary-to-primary"}
    assert ids == {place: rule_id(place) for place in Place}


@PLACES
def test_a_configuration_is_made_in_its_source_buckets_region(build: Build, place: Place) -> None:
    config = build(replication).one("BucketReplicationConfig", f"objects-{place}")

    assert config.provider.endswith(f"::{place}")


@PLACES
def test_the_role_reads_one_bucket_and_writes_the_other_and_no_more(build: Build, place: Place) -> None:
    built = build(replication)

    found = statements(built, "aws:iam/rolePolicy:RolePolicy", f"objects-{place}-policy")
    source, target = f"arn:aws:s3:::{bucket(place)}", f"arn:aws:s3:::{bucket(place.other)}"
    may = {action: each["Resource"] for each in found for action in each["Action"]}
    assert may == {
        "s3:GetReplicationConfiguration": [source],
        "s3:ListBucket": [source],
        "s3:GetObjectVersionForReplication": [f"{source}/*"],
        "s3:GetObjectVersionAcl": [f"{source}/*"],
        "s3:GetObjectVersionTagging": [f"{source}/*"],
        "s3:ReplicateObject": [f"{target}/*"],
        "s3:ReplicateDelete": [f"{target}/*"],
        "s3:ReplicateTags": [f"{target}/*"],
        "kms:Decrypt": [key(place)],
        "kms:Encrypt": [key(place.other)],
        "kms:GenerateDataKey": [key(place.other)],
    }
    trusted = json.loads(built.one("aws:iam/role:Role", f"objects-{place}-role").inputs["assumeRolePolicy"])
    assert trusted["Statement"][0]["Principal"] == {"Service": "s3.amazonaws.com"}


@PLACES
def test_the_role_uses_keys_through_s3_and_for_these_buckets_only(build: Build, place: Place) -> None:
    found = statements(build(replication), "RolePolicy", f"objects-{place}-policy")

    for each in found:
        if not each["Action"][0].startswith("kms:"):
            continue
        side = place if each["Action"] == ["kms:Decrypt"] else place.other
        arn = f"arn:aws:s3:::{bucket(side)}"
        assert each["Condition"] == {
            "StringEquals": {"kms:ViaService": f"s3.{REGIONS[side]}.amazonaws.com"},
            "StringLike": {"kms:EncryptionContext:aws:s3:arn": [arn, f"{arn}/*"]},
        }


@PLACES
def test_the_roles_rights_are_there_before_s3_tries_them(build: Build, place: Place) -> None:
    built = build(replication)

    policy = built.one("RolePolicy", f"objects-{place}-policy").urn
    assert policy in built.one("BucketReplicationConfig", f"objects-{place}").options["depends_on"]


def test_everything_is_made_through_an_explicit_provider(build: Build) -> None:
    made = [each for each in build(replication).resources if each.type.startswith("aws:")]

    assert len(made) == 6
    assert {each.provider.rpartition("::")[2] for each in made} == set(Place), "a resource fell to the default provider"
