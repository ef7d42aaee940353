"""Backup vault, plan and restore testing."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.backup.plan import BackupPlan, BackupPlanArgs, RestoreTesting, RestoreTestingArgs
from components.backup.vault import BackupVault, BackupVaultArgs
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
KEY = "arn:aws:kms:us-east-1:000000000000:key/data"
COPY_VAULT = "arn:aws:backup:us-east-2:000000000000:backup-vault:vault-secondary-dev"
RESOURCES = ["arn:aws:dynamodb:us-east-1:000000000000:table/journal", "arn:aws:s3:::bucket-primary-dev"]


def vault() -> None:
    provider = aws.Provider("primary", region="us-east-1")
    args = BackupVaultArgs(name="vault-primary-dev", key_arn=KEY, topic_arn="arn:aws:sns:us-east-1:000000000000:topic")
    BackupVault("vault", args, opts=pulumi.ResourceOptions(providers=[provider]))


def plan_args(**changed: Any) -> BackupPlanArgs:
    known: dict[str, Any] = {
        "name": "backup-dev",
        "role_name": "role-backup-dev",
        "vault_name": "vault-primary-dev",
        "copy_vault_arn": COPY_VAULT,
        "retention_days": 7,
        "resources": RESOURCES,
    }
    return BackupPlanArgs(**(known | changed))


def plan() -> None:
    provider = aws.Provider("primary", region="us-east-1")
    BackupPlan("backup", plan_args(), opts=pulumi.ResourceOptions(providers=[provider]))


def restore_args(name: str = "restore_dev") -> RestoreTestingArgs:
    return RestoreTestingArgs(
        name=name,
        role_name="role-restore-dev",
        vault_arn=COPY_VAULT,
        key_arn=KEY,
        database_subnet_group="subnets-database-secondary-dev",
        selection_days=7,
    )


def restore_testing() -> None:
    provider = aws.Provider("secondary", region="us-east-2")
    RestoreTesting("restore", restore_args(), opts=pulumi.ResourceOptions(providers=[provider]))


def test_a_vault_has_our_key_and_can_be_destroyed_with_what_it_holds(build: Build) -> None:
    built = build(vault)

    made = built.one("aws:backup/vault:Vault")
    assert made.inputs["kmsKeyArn"] == KEY
    assert made.inputs["forceDestroy"] is True
    assert built.all("VaultLockConfiguration") == [], "a lock makes the vault impossible to delete [BACKUP-6]"
    assert built.all("VaultPolicy") == []


def test_a_vault_notifies_of_what_no_metric_counts(build: Build) -> None:
    made = build(vault).one("aws:backup/vaultNotifications:VaultNotifications").inputs

    assert made["snsTopicArn"] == "arn:aws:sns:us-east-1:000000000000:topic"
    assert "S3_BACKUP_OBJECT_FAILED" in made["backupVaultEvents"]


def test_a_vault_name_that_aws_would_refuse_is_refused_before() -> None:
    with pytest.raises(ValueError, match="shorten it"):
        BackupVaultArgs(name="v" * 51, key_arn=KEY, topic_arn="topic")


def test_a_backup_is_made_every_day_and_copied_to_the_other_region(build: Build) -> None:
    (rule,) = build(plan).one("aws:backup/plan:Plan").inputs["rules"]

    assert rule["targetVaultName"] == "vault-primary-dev"
    assert rule["schedule"] == "cron(0 13 * * ? *)"
    (copy,) = rule["copyActions"]
    assert copy["destinationVaultArn"] == COPY_VAULT
    assert rule["lifecycle"] == copy["lifecycle"] == {"deleteAfter": 7}


def test_a_backup_starts_outside_the_hours_in_which_it_would_fail(build: Build) -> None:
    """Not during Aurora's own windows nor in the hour before [BACKUP-1], by default 03:00 to 11:00 UTC [AURORA-15]."""
    (rule,) = build(plan).one("Plan").inputs["rules"]

    minute, hour = rule["schedule"].removeprefix("cron(").split()[:2]
    starts = [(int(hour) * 60 + int(minute) + late) % 1440 for late in (0, rule["startWindow"])]
    assert all(not 2 * 60 <= start <= 11 * 60 for start in starts)
    assert rule["startWindow"] >= 60, "AWS Backup refuses less [BACKUP-2]"
    assert rule["completionWindow"] > rule["startWindow"]


def test_only_what_is_named_is_backed_up(build: Build) -> None:
    made = build(plan).one("aws:backup/selection:Selection").inputs

    assert made["resources"] == RESOURCES
    assert "selectionTags" not in made


def test_naming_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="would take all of the account's"):
        plan_args(resources=[])


@pytest.mark.parametrize(
    ("program", "policies", "user"),
    [
        (
            plan,
            {"service-role/AWSBackupServiceRolePolicyForBackup", "AWSBackupServiceRolePolicyForS3Backup"},
            "Selection",
        ),
        (
            restore_testing,
            {"service-role/AWSBackupServiceRolePolicyForRestores", "AWSBackupServiceRolePolicyForS3Restore"},
            "RestoreTestingSelection",
        ),
    ],
)
def test_what_saves_cannot_restore_nor_the_reverse(
    build: Build, program: Callable[[], None], policies: set[str], user: str
) -> None:
    built = build(program)

    attachments = built.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    assert {each.inputs["policyArn"].removeprefix("arn:aws:iam::aws:policy/") for each in attachments} == policies
    role = built.one("aws:iam/role:Role")
    trusted = json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]["Principal"]
    assert trusted == {"Service": "backup.amazonaws.com"}
    for each in built.all(user):
        assert {attachment.urn for attachment in attachments} <= set(each.options["depends_on"])


def test_the_newest_copy_of_each_kind_is_restored_every_week(build: Build) -> None:
    built = build(restore_testing)

    made = built.one("aws:backup/restoreTestingPlan:RestoreTestingPlan").inputs
    assert made["scheduleExpression"] == "cron(0 15 ? * SUN *)"
    assert made["recoveryPointSelection"] == {
        "algorithm": "LATEST_WITHIN_WINDOW",
        "includeVaults": [COPY_VAULT],
        "recoveryPointTypes": ["SNAPSHOT"],
        "selectionWindowDays": 7,
    }
    selections = built.all("aws:backup/restoreTestingSelection:RestoreTestingSelection")
    assert {each.inputs["protectedResourceType"] for each in selections} == {"Aurora", "DynamoDB", "S3"}
    assert all(each.inputs["restoreTestingPlanName"] == "restore_dev" for each in selections)


def test_restored_data_is_encrypted_with_our_key_and_kept_out_of_the_default_vpc(build: Build) -> None:
    """A default VPC that is not there fails the restore [BACKUP-8]."""
    selections = {
        each.inputs["protectedResourceType"]: each.inputs["restoreMetadataOverrides"]
        for each in build(restore_testing).all("RestoreTestingSelection")
    }

    assert all(KEY in overrides.values() for overrides in selections.values())
    assert selections["Aurora"]["dbSubnetGroupName"] == "subnets-database-secondary-dev"


def test_a_plan_name_with_a_hyphen_is_refused_as_aws_would() -> None:
    with pytest.raises(ValueError, match="restore-dev is not 1 to 50 letters"):
        restore_args("restore-dev")
