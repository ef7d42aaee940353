"""Schedules of EventBridge Scheduler."""

from typing import Any

from localaws.provider.context import Context
from localaws.provider.table import ALL, Call, Entry, Name

_RENAME = {
    "capacityProviderStrategies": "CapacityProviderStrategy",
    "eventbridgeParameters": "EventBridgeParameters",
    "pipelineParameters": "PipelineParameterList",
    "sagemakerPipelineParameters": "SageMakerPipelineParameters",
}
_CHANGEABLE = (
    "actionAfterCompletion",
    "description",
    "endDate",
    "flexibleTimeWindow",
    "kmsKeyArn",
    "scheduleExpression",
    "scheduleExpressionTimezone",
    "startDate",
    "state",
    "target",
)
# Which one it is; both stay as they are for the schedule's life.
_PLACE: dict[str, Any] = {"Name": "{in.name}", "GroupName": "{in.groupName}"}


def _id(context: Context) -> str:
    return f"{context.inputs['groupName']}/{context.inputs['name']}"


TYPES = {
    "aws:scheduler/schedule:Schedule": Entry(
        service="scheduler",
        create=Call("create_schedule", auto=ALL),
        # Without an argument the call would take its default: UpdateSchedule replaces all there is.
        update=(Call("update_schedule", _PLACE, auto=_CHANGEABLE),),
        id=_id,
        read=Call("get_schedule", _PLACE),
        delete=(Call("delete_schedule", _PLACE),),
        rename=_RENAME,
        autoname=Name(limit=64),
        defaults={"groupName": "default", "scheduleExpressionTimezone": "UTC", "state": "ENABLED"},
        outputs={"arn": "{found.Arn}"},
    ),
}
