"""Nothing outlives its environment, unless protection is on; then exactly what holds data or an address (R13)."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from policy.rules import deletion
from policy.rules.rows import Rows
from tests.programs import sdk
from tests.programs.changes import changed, giving, without
from tests.programs.profiles import COMMITTED, DEFAULTS, ENVIRONMENTS, registered

Rule = Callable[[Rows], list[str]]
PROTECTED = tuple(sorted(deletion.PROTECTED))

# In how many stacks or regions.
PROTECTION = {
    ("aws:backup/vault:Vault", "vault-vault", "forceDestroy"): 2,
    ("aws:dynamodb/table:Table", "backlog-table", "deletionProtectionEnabled"): 2,
    ("aws:dynamodb/table:Table", "journal-table", "deletionProtectionEnabled"): 1,
    ("aws:dynamodb/table:Table", "journal-table", "replicas.deletionProtectionEnabled"): 1,
    ("aws:lb/loadBalancer:LoadBalancer", "front-door-alb", "enableDeletionProtection"): 2,
    ("aws:lb/loadBalancer:LoadBalancer", "front-door-nlb", "enableDeletionProtection"): 2,
    ("aws:rds/cluster:Cluster", "database-primary", "deletionProtection"): 1,
    ("aws:rds/cluster:Cluster", "database-secondary", "deletionProtection"): 1,
    ("aws:rds/globalCluster:GlobalCluster", "database-global", "deletionProtection"): 1,
    ("aws:s3/bucket:Bucket", "bucket-bucket", "forceDestroy"): 2,
}


def test_production_is_among_the_committed_profiles() -> None:
    assert set(PROTECTED) < set(COMMITTED)


@pytest.mark.parametrize("environment", [each for each in ENVIRONMENTS if each not in PROTECTED])
def test_nothing_blocks_a_deletion(environment: str) -> None:
    assert deletion.undeletable(registered(environment)) == []


@pytest.mark.parametrize("environment", PROTECTED)
def test_protection_protects_exactly_what_holds_data_or_an_address(environment: str) -> None:
    assert set(PROTECTION) == deletion.PROTECTABLE
    assert Counter(each.what for each in deletion.blockers(registered(environment))) == PROTECTION


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_argument_about_deletion_is_spoken_of(environment: str) -> None:
    """A new type, or a new argument of a newer SDK, has to be put into one of the tables."""
    types = {row["type"] for row in registered(environment) if row["type"].startswith("aws:")}
    forgotten = {
        f"{token} {path}"
        for token in types
        for path in sdk.arguments(token, deletion.DELETION_ARGUMENT) - deletion.known_arguments(token)
    }

    assert not forgotten


OTHERWISE: dict[str, Any] = {
    "deletionWindowInDays": 30,
    "finalSnapshotIdentifier": "last",
    "recoveryWindowInDays": 30,
    "objectLockConfiguration.objectLockEnabled": "Enabled",
    "replicas.deletionProtectionEnabled": True,
}


@pytest.mark.parametrize(
    ("token", "path"), [(token, path) for token, paths in deletion.BLOCKING.items() for path in paths]
)
def test_whatever_blocks_a_deletion_is_refused(token: str, path: str) -> None:
    rows = registered(DEFAULTS)
    block = path.partition(".")[0]
    name = next(row["name"] for row in rows if row["type"] == token and (block != "replicas" or block in row["inputs"]))
    free = deletion.BLOCKING[token][path].values
    value = OTHERWISE.get(path, True not in free)
    assert value not in free
    change = (
        giving("objectLockConfiguration", value={"objectLockEnabled": value})
        if path.startswith("objectLockConfiguration")
        else giving(*path.split("."), value=value)
    )

    (violation,) = deletion.undeletable(changed(rows, token, name, change))
    assert f"{token} {name} has {path} {value}" in violation


@pytest.mark.parametrize(
    ("token", "name", "path"),
    [
        ("aws:s3/bucket:Bucket", "bucket-bucket", "forceDestroy"),
        ("aws:rds/cluster:Cluster", "database-primary", "skipFinalSnapshot"),
        ("aws:secretsmanager/secret:Secret", "database-secret-secret", "recoveryWindowInDays"),
    ],
)
def test_leaving_it_to_aws_is_refused_where_aws_keeps_things(token: str, name: str, path: str) -> None:
    assert len(deletion.undeletable(changed(registered(DEFAULTS), token, name, without(path)))) == 1


@pytest.mark.parametrize(
    ("option", "value"), [("protect", True), ("retain_on_delete", True), ("deleted_with", "urn:pulumi:x")]
)
def test_an_option_that_keeps_a_resource_is_refused(option: str, value: object) -> None:
    def change(row: dict[str, Any]) -> None:
        row["options"][option] = value

    (violation,) = deletion.protect_or_retain_denied(
        changed(registered(DEFAULTS), "aws:kms/key:Key", "data-key", change)
    )
    assert violation.startswith("primary: aws:kms/key:Key data-key")


def test_a_zone_that_others_records_would_keep_is_refused() -> None:
    (violation,) = deletion.zone_force_destroy_required(
        changed(registered(DEFAULTS), "aws:route53/zone:Zone", "dns-zone", without("forceDestroy"))
    )
    assert "aws:route53/zone:Zone dns-zone" in violation


def test_a_load_balancer_that_may_outlive_the_internet_gateway_is_refused() -> None:
    def change(row: dict[str, Any]) -> None:
        row["options"]["depends_on"] = []

    (violation,) = deletion.nlb_before_internet_gateway(
        changed(registered(DEFAULTS), "aws:lb/loadBalancer:LoadBalancer", "front-door-nlb", change)
    )
    assert "front-door-nlb" in violation
