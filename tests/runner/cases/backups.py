"""Vault, plan, what is backed up, and the test that it can be restored."""

from typing import Any

from tests.runner.cases import Case, Client, Reading

PROGRAM = """
topic = aws.sns.Topic("backups", opts=opts)
key = aws.kms.Key("backups", opts=opts)
trust = {"Version": "2012-10-17", "Statement": []}
role = aws.iam.Role("backups", assume_role_policy=json.dumps(trust), opts=opts)
vault = aws.backup.Vault("vault", name="runner-vault", kms_key_arn=key.arn, force_destroy=True, opts=opts)
notifications = aws.backup.VaultNotifications(
    "vault", backup_vault_name=vault.name, sns_topic_arn=topic.arn,
    backup_vault_events=["COPY_JOB_FAILED", "S3_BACKUP_OBJECT_FAILED"], opts=opts,
)
there = "arn:aws:backup:us-east-2:000000000000:backup-vault:runner-vault"
plan = aws.backup.Plan(
    "plan", name="runner-plan", opts=opts, rules=[{
        "rule_name": "daily", "target_vault_name": vault.name, "schedule": "cron(0 13 * * ? *)",
        "schedule_expression_timezone": "Etc/UTC", "start_window": 60, "completion_window": 480,
        "enable_continuous_backup": False, "lifecycle": {"delete_after": 7},
        "copy_actions": [{"destination_vault_arn": there, "lifecycle": {"delete_after": 14}}],
    }],
)
selection = aws.backup.Selection(
    "table", name="runner-selection", plan_id=plan.id, iam_role_arn=role.arn,
    resources=["arn:aws:dynamodb:us-east-1:000000000000:table/any"], opts=opts,
)
testing = aws.backup.RestoreTestingPlan(
    "weekly", name="runner_weekly", schedule_expression="cron(0 15 ? * SUN *)", start_window_hours=4,
    schedule_expression_timezone="Etc/UTC", opts=opts, recovery_point_selection={
        "algorithm": "LATEST_WITHIN_WINDOW", "include_vaults": [vault.arn], "recovery_point_types": ["SNAPSHOT"],
        "selection_window_days": 3,
    },
)
tested = aws.backup.RestoreTestingSelection(
    "table", name="dynamodb", restore_testing_plan_name=testing.name, protected_resource_type="DynamoDB",
    protected_resource_arns=["*"], iam_role_arn=role.arn, validation_window_hours=1, opts=opts,
    restore_metadata_overrides={"encryptionType": "KMS", "kmsMasterKeyArn": key.arn},
)
for name, value in {
    "vault": vault.arn, "topic": topic.arn, "key": key.arn, "role": role.arn, "plan": plan.id,
    "selection": selection.id, "testing": testing.arn,
}.items():
    pulumi.export(name, value)
"""


def _rule(aws: Client, out: dict[str, Any]) -> Any:
    found = aws("backup").get_backup_plan(BackupPlanId=out["plan"])["BackupPlan"]
    return {**found["Rules"][0], "Name": found["BackupPlanName"]}


def _selection(aws: Client, out: dict[str, Any]) -> Any:
    found = aws("backup").get_backup_selection(BackupPlanId=out["plan"], SelectionId=out["selection"])
    return {**found["BackupSelection"], "Role": found["BackupSelection"]["IamRoleArn"] == out["role"]}


def _tested(aws: Client, out: dict[str, Any]) -> Any:
    named = {"RestoreTestingPlanName": "runner_weekly", "RestoreTestingSelectionName": "dynamodb"}
    found = aws("backup").get_restore_testing_selection(**named)["RestoreTestingSelection"]
    listed = aws("backup").list_restore_testing_selections(RestoreTestingPlanName="runner_weekly")
    names = [each["RestoreTestingSelectionName"] for each in listed["RestoreTestingSelections"]]
    return {**found, "Key": found["RestoreMetadataOverrides"]["kmsMasterKeyArn"] == out["key"], "Listed": names}


CASE = Case(
    PROGRAM,
    {
        "aws:backup/vault:Vault": Reading(
            lambda aws, out: {
                **(found := aws("backup").describe_backup_vault(BackupVaultName="runner-vault")),
                "Same": (found["BackupVaultArn"], found["EncryptionKeyArn"]) == (out["vault"], out["key"]),
            },
            {"BackupVaultName": "runner-vault", "Same": True},
        ),
        "aws:backup/vaultNotifications:VaultNotifications": Reading(
            lambda aws, out: {
                **(found := aws("backup").get_backup_vault_notifications(BackupVaultName="runner-vault")),
                "Same": (found["SNSTopicArn"], found["BackupVaultArn"]) == (out["topic"], out["vault"]),
            },
            {"BackupVaultEvents": ["COPY_JOB_FAILED", "S3_BACKUP_OBJECT_FAILED"], "Same": True},
        ),
        "aws:backup/plan:Plan": Reading(
            _rule,
            {
                "Name": "runner-plan",
                "RuleName": "daily",
                "TargetBackupVaultName": "runner-vault",
                "ScheduleExpressionTimezone": "Etc/UTC",
                "StartWindowMinutes": 60,
                "Lifecycle": {"DeleteAfterDays": 7},
                "CopyActions": [
                    {
                        "Lifecycle": {"DeleteAfterDays": 14},
                        "DestinationBackupVaultArn": "arn:aws:backup:us-east-2:000000000000:backup-vault:runner-vault",
                    }
                ],
            },
        ),
        "aws:backup/selection:Selection": Reading(
            _selection,
            {
                "SelectionName": "runner-selection",
                "Resources": ["arn:aws:dynamodb:us-east-1:000000000000:table/any"],
                "Role": True,
            },
        ),
        "aws:backup/restoreTestingPlan:RestoreTestingPlan": Reading(
            lambda aws, out: {
                **(
                    found := aws("backup").get_restore_testing_plan(RestoreTestingPlanName="runner_weekly")[
                        "RestoreTestingPlan"
                    ]
                ),
                "Same": found["RestoreTestingPlanArn"] == out["testing"],
                "Window": found["RecoveryPointSelection"]["SelectionWindowDays"],
            },
            {"StartWindowHours": 4, "Same": True, "Window": 3},
        ),
        "aws:backup/restoreTestingSelection:RestoreTestingSelection": Reading(
            _tested,
            {"ProtectedResourceType": "DynamoDB", "ValidationWindowHours": 1, "Key": True, "Listed": ["dynamodb"]},
        ),
    },
    edits=(
        ('"lifecycle": {"delete_after": 7}', '"lifecycle": {"delete_after": 8}'),
        ("validation_window_hours=1", "validation_window_hours=2"),
        ("start_window_hours=4", "start_window_hours=5"),
        ('"COPY_JOB_FAILED", ', ""),
    ),
    changed={
        "aws:backup/plan:Plan": {"Lifecycle": {"DeleteAfterDays": 8}, "RuleName": "daily"},
        "aws:backup/restoreTestingSelection:RestoreTestingSelection": {"ValidationWindowHours": 2, "Key": True},
        "aws:backup/restoreTestingPlan:RestoreTestingPlan": {"StartWindowHours": 5, "Window": 3},
        "aws:backup/vaultNotifications:VaultNotifications": {"BackupVaultEvents": ["S3_BACKUP_OBJECT_FAILED"]},
    },
)
