"""Backup vaults, plans and what plans back up."""

from typing import Any

from localaws.provider.context import Context
from localaws.provider.table import Call, Entry, Tags

_RENAME = {"coldStorageAfter": "MoveToColdStorageAfterDays", "deleteAfter": "DeleteAfterDays"}
_RULE = {
    "ruleName": "RuleName",
    "targetVaultName": "TargetBackupVaultName",
    "schedule": "ScheduleExpression",
    "scheduleExpressionTimezone": "ScheduleExpressionTimezone",
    "startWindow": "StartWindowMinutes",
    "completionWindow": "CompletionWindowMinutes",
    "enableContinuousBackup": "EnableContinuousBackup",
    "recoveryPointTags": "RecoveryPointTags",
    "lifecycle": "Lifecycle",
    "copyActions": "CopyActions",
}


def _rules(context: Context) -> list[dict[str, Any]]:
    """The rules in AWS's words; one of the provider's that is not known here stays and is refused."""
    rules = []
    for given in context.inputs["rules"]:
        rule = {_RULE.get(key, key): value for key, value in given.items()}
        for copy in rule.get("CopyActions") or []:
            copy["DestinationBackupVaultArn"] = copy.pop("destinationVaultArn")
        rules.append(rule)
    return rules


_PLAN = {
    "BackupPlan": {
        "BackupPlanName": "{in.name}",
        "Rules": _rules,
        "AdvancedBackupSettings": "{in.advancedBackupSettings}",
    }
}


def _tag_conditions(context: Context) -> list[dict[str, str]] | None:
    given = context.inputs.get("selectionTags") or []
    words = {"type": "ConditionType", "key": "ConditionKey", "value": "ConditionValue"}
    return [{words[key]: value for key, value in item.items()} for item in given] or None


_NOTIFY = Call(
    "put_backup_vault_notifications",
    {
        "BackupVaultName": "{in.backupVaultName}",
        "SNSTopicArn": "{in.snsTopicArn}",
        "BackupVaultEvents": "{in.backupVaultEvents}",
    },
)


_SELECTION = {
    "ProtectedResourceArns": "{in.protectedResourceArns}",
    "IamRoleArn": "{in.iamRoleArn}",
    "ProtectedResourceConditions": "{in.protectedResourceConditions}",
    "RestoreMetadataOverrides": "{in.restoreMetadataOverrides}",
    "ValidationWindowHours": "{in.validationWindowHours}",
}
_TESTING_PLAN = {
    "ScheduleExpression": "{in.scheduleExpression}",
    "ScheduleExpressionTimezone": "{in.scheduleExpressionTimezone}",
    "StartWindowHours": "{in.startWindowHours}",
    "RecoveryPointSelection": "{in.recoveryPointSelection}",
}
_ONE = {
    "RestoreTestingPlanName": "{in.restoreTestingPlanName}",
    "RestoreTestingSelectionName": "{in.name}",
}

TYPES = {
    "aws:backup/vault:Vault": Entry(
        service="backup",
        create=Call("create_backup_vault", {"BackupVaultName": "{in.name}", "EncryptionKeyArn": "{in.kmsKeyArn}"}),
        id="{made.BackupVaultName}",
        read=Call("describe_backup_vault", {"BackupVaultName": "{id}"}),
        delete=(Call("delete_backup_vault", {"BackupVaultName": "{id}"}),),
        defaults={"forceDestroy": False},
        provider_only={"forceDestroy": "there are no recovery points to remove here"},
        tags=Tags(inline=False),
        outputs={
            "arn": "{found.BackupVaultArn}",
            "kmsKeyArn": "{found.EncryptionKeyArn}",
            "recoveryPoints": "{found.NumberOfRecoveryPoints}",
        },
    ),
    "aws:backup/vaultNotifications:VaultNotifications": Entry(
        service="backup",
        create=_NOTIFY,
        update=(_NOTIFY,),
        id="{in.backupVaultName}",
        read=Call("get_backup_vault_notifications", {"BackupVaultName": "{id}"}),
        delete=(Call("delete_backup_vault_notifications", {"BackupVaultName": "{id}"}),),
        outputs={"backupVaultArn": "{found.BackupVaultArn}"},
    ),
    "aws:backup/plan:Plan": Entry(
        service="backup",
        create=Call("create_backup_plan", _PLAN, takes=("rules",)),
        update=(Call("update_backup_plan", {"BackupPlanId": "{id}", **_PLAN}, takes=("rules",)),),
        id="{made.BackupPlanId}",
        read=Call("get_backup_plan", {"BackupPlanId": "{id}"}),
        delete=(Call("delete_backup_plan", {"BackupPlanId": "{id}"}),),
        rename=_RENAME,
        tags=Tags(inline=False),
        outputs={"arn": "{found.BackupPlanArn}", "version": "{found.VersionId}"},
    ),
    "aws:backup/selection:Selection": Entry(
        service="backup",
        create=Call(
            "create_backup_selection",
            {
                "BackupPlanId": "{in.planId}",
                "BackupSelection": {
                    "SelectionName": "{in.name}",
                    "IamRoleArn": "{in.iamRoleArn}",
                    "Resources": "{in.resources}",
                    "NotResources": "{in.notResources}",
                    "ListOfTags": _tag_conditions,
                },
            },
            takes=("selectionTags",),
        ),
        id="{made.SelectionId}",
        delete=(Call("delete_backup_selection", {"BackupPlanId": "{in.planId}", "SelectionId": "{id}"}),),
    ),
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": Entry(
        service="backup",
        create=Call(
            "create_restore_testing_plan",
            {"RestoreTestingPlan": {"RestoreTestingPlanName": "{in.name}", **_TESTING_PLAN}},
        ),
        update=(
            Call(
                "update_restore_testing_plan", {"RestoreTestingPlanName": "{id}", "RestoreTestingPlan": _TESTING_PLAN}
            ),
        ),
        id="{made.RestoreTestingPlanName}",
        read=Call("get_restore_testing_plan", {"RestoreTestingPlanName": "{id}"}),
        delete=(Call("delete_restore_testing_plan", {"RestoreTestingPlanName": "{id}"}),),
        tags=Tags(),
        outputs={"arn": "{found.RestoreTestingPlan.RestoreTestingPlanArn}"},
    ),
    "aws:backup/restoreTestingSelection:RestoreTestingSelection": Entry(
        service="backup",
        create=Call(
            "create_restore_testing_selection",
            {
                "RestoreTestingPlanName": "{in.restoreTestingPlanName}",
                "RestoreTestingSelection": {
                    "RestoreTestingSelectionName": "{in.name}",
                    "ProtectedResourceType": "{in.protectedResourceType}",
                    **_SELECTION,
                },
            },
        ),
        update=(Call("update_restore_testing_selection", {**_ONE, "RestoreTestingSelection": _SELECTION}),),
        id="{in.restoreTestingPlanName}:{in.name}",
        delete=(Call("delete_restore_testing_selection", _ONE),),
    ),
}
