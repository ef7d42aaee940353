"""Restore testing: when to restore what lies in a vault, and how."""

from localaws.runner.table import Call, Entry, Tags

_SELECTION = {
    "ProtectedResourceArns": "{in.protectedResourceArns}",
    "IamRoleArn": "{in.iamRoleArn}",
    "ProtectedResourceConditions": "{in.protectedResourceConditions}",
    "RestoreMetadataOverrides": "{in.restoreMetadataOverrides}",
    "ValidationWindowHours": "{in.validationWindowHours}",
}
_PLAN = {
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
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": Entry(
        service="backup",
        create=Call(
            "create_restore_testing_plan", {"RestoreTestingPlan": {"RestoreTestingPlanName": "{in.name}", **_PLAN}}
        ),
        update=(Call("update_restore_testing_plan", {"RestoreTestingPlanName": "{id}", "RestoreTestingPlan": _PLAN}),),
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
