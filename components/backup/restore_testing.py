"""AWS Backup restore testing: a weekly restore from a vault; in the other region's vault, from the copies."""

import re
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.backup.plan import RESTORE, backup_role

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
    """What to restore otherwise than AWS Backup would: with our key, and not in the default VPC, which may not exist
    [BACKUP-8]."""
    return {
        "Aurora": {"dbSubnetGroupName": args.database_subnet_group, "kmsKeyId": args.key_arn},
        "DynamoDB": {"encryptionType": "KMS", "kmsMasterKeyArn": args.key_arn},
        "S3": {"encryptionType": "SSE-KMS", "kmsKey": args.key_arn},
    }
