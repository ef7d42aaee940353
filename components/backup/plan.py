"""AWS Backup: a daily backup in one region with a copy in the other region's vault, and weekly restore tests.

One direction: an environment that needs backups in the surviving region too makes a second plan there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import iam

# The managed policies of AWS Backup, so that a resource type that it supports later, or an action it starts to need,
# does not break backups. Two roles, so that what saves data cannot overwrite any.
_AWS = "arn:aws:iam::aws:policy"
# S3 has policies of its own [BACKUP-5].
BACKUP = {
    "backup": f"{_AWS}/service-role/AWSBackupServiceRolePolicyForBackup",
    "backup-s3": f"{_AWS}/AWSBackupServiceRolePolicyForS3Backup",
}
RESTORE = {
    "restore": f"{_AWS}/service-role/AWSBackupServiceRolePolicyForRestores",
    "restore-s3": f"{_AWS}/AWSBackupServiceRolePolicyForS3Restore",
}


def backup_role(
    prefix: str, role_name: str, attached: dict[str, str], *, opts: pulumi.ResourceOptions
) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
    """A role for AWS Backup, and the policy attachments that its users must depend on."""
    role = aws.iam.Role(
        f"{prefix}-role", name=role_name, assume_role_policy=iam.trust("backup.amazonaws.com"), opts=opts
    )
    return role, [
        aws.iam.RolePolicyAttachment(f"{prefix}-{key}", role=role.name, policy_arn=arn, opts=opts)
        for key, arn in attached.items()
    ]


# Not while Aurora backs itself up or is maintained, nor in the hour before: jobs that are due then fail [BACKUP-1].
# By default, Aurora does both somewhere between 03:00 and 11:00 UTC in us-east-1 and us-east-2 [AURORA-15].
DAILY = "cron(0 13 * * ? *)"
# AWS Backup starts a job somewhere inside its window, and refuses one below an hour [BACKUP-2].
_START_MINUTES, _COMPLETION_MINUTES = 60, 8 * 60


@dataclass(frozen=True, kw_only=True)
class BackupPlanArgs:
    name: str
    role_name: str
    vault_name: pulumi.Input[str]  # in the plan's own region
    copy_vault_arn: pulumi.Input[str]  # in the other one
    retention_days: int
    resources: Sequence[pulumi.Input[str]]  # ARNs; naming each keeps other environments' data out
    schedule: str = DAILY  # UTC

    def __post_init__(self) -> None:
        if not self.resources:
            raise ValueError("backup plan has no resources; without any, AWS Backup would take all of the account's")
        if self.retention_days < 1:
            raise ValueError(f"backup plan keeps backups for {self.retention_days} days; 1 or more is needed")


class BackupPlan(pulumi.ComponentResource):
    """Snapshots, not continuous backups: a copy of a continuous one cannot be restored to a point in time either, and
    the table and the cluster keep their own points in time [BACKUP-3]."""

    def __init__(self, name: str, args: BackupPlanArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:backup_plan:BackupPlan", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        plan = aws.backup.Plan(
            f"{name}-plan",
            name=args.name,
            rules=[
                {
                    "rule_name": "daily",
                    "target_vault_name": args.vault_name,
                    "schedule": args.schedule,
                    "schedule_expression_timezone": "Etc/UTC",
                    "start_window": _START_MINUTES,
                    "completion_window": _COMPLETION_MINUTES,
                    "enable_continuous_backup": False,
                    "lifecycle": {"delete_after": args.retention_days},
                    "copy_actions": [
                        {
                            "destination_vault_arn": args.copy_vault_arn,
                            "lifecycle": {"delete_after": args.retention_days},
                        }
                    ],
                }
            ],
            opts=child,
        )
        role, attachments = backup_role(name, args.role_name, BACKUP, opts=child)
        aws.backup.Selection(
            f"{name}-selection",
            name=args.name,
            plan_id=plan.id,
            iam_role_arn=role.arn,
            resources=list(args.resources),
            # A role without its permissions is refused as one that AWS Backup cannot assume [BACKUP-4].
            opts=pulumi.ResourceOptions(parent=self, depends_on=attachments),
        )
        self.register_outputs({})


_NAME = re.compile(r"[a-zA-Z0-9_]{1,50}")  # [BACKUP-9]
WEEKLY = "cron(0 15 ? * SUN *)"  # UTC; two hours after the daily backup
_START_HOURS = 4
# Restored copies are deleted when this is over (API Backup.RestoreTestingSelectionForCreate): time to inspect them.
_KEPT_HOURS = 1


@dataclass(frozen=True, kw_only=True)
class RestoreTestingArgs:
    name: str
    role_name: str
    vault_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]  # of the vault's region
    database_subnet_group: pulumi.Input[str]
    selection_days: int  # how old the newest recovery point may be

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"restore testing name {self.name} is not 1 to 50 letters, digits and _; change it")


class RestoreTesting(pulumi.ComponentResource):
    """Restores the newest recovery point of each kind of resource that the vault holds, measures the duration,
    and deletes what was restored. The vault, which holds nothing of other environments, is what selects."""

    def __init__(self, name: str, args: RestoreTestingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:restore_testing:RestoreTesting", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        plan = aws.backup.RestoreTestingPlan(
            f"{name}-plan",
            name=args.name,
            schedule_expression=WEEKLY,
            schedule_expression_timezone="Etc/UTC",
            start_window_hours=_START_HOURS,
            recovery_point_selection={
                "algorithm": "LATEST_WITHIN_WINDOW",
                "include_vaults": [args.vault_arn],
                "recovery_point_types": ["SNAPSHOT"],
                "selection_window_days": args.selection_days,
            },
            opts=child,
        )
        role, attachments = backup_role(name, args.role_name, RESTORE, opts=child)
        for kind, overrides in _overrides(args).items():
            aws.backup.RestoreTestingSelection(
                f"{name}-{kind.lower()}",
                name=kind.lower(),
                restore_testing_plan_name=plan.name,
                protected_resource_type=kind,
                # Everything in the vault: a copy's resource is in the other region, or lost.
                protected_resource_arns=["*"],
                iam_role_arn=role.arn,
                restore_metadata_overrides=overrides,
                validation_window_hours=_KEPT_HOURS,
                opts=pulumi.ResourceOptions(parent=self, depends_on=attachments),
            )
        self.register_outputs({})


def _overrides(args: RestoreTestingArgs) -> dict[str, dict[str, pulumi.Input[str]]]:
    """Overrides of the restore metadata that AWS Backup infers: our key, and not the default VPC, which may not exist
    [BACKUP-8]."""
    return {
        "Aurora": {"dbSubnetGroupName": args.database_subnet_group, "kmsKeyId": args.key_arn},
        "DynamoDB": {"encryptionType": "KMS", "kmsMasterKeyArn": args.key_arn},
        "S3": {"encryptionType": "SSE-KMS", "kmsKey": args.key_arn},
    }
