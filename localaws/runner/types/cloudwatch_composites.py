"""Alarms on the state of other alarms."""

from localaws.runner.table import ALL, Call, Entry, Tags

_CHANGEABLE = (
    "actionsEnabled",
    "alarmActions",
    "alarmDescription",
    "alarmRule",
    "insufficientDataActions",
    "okActions",
)

TYPES = {
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": Entry(
        service="cloudwatch",
        create=Call("put_composite_alarm", auto=ALL),
        update=(Call("put_composite_alarm", {"AlarmName": "{id}"}, auto=_CHANGEABLE),),
        id="{in.alarmName}",
        delete=(Call("delete_alarms", {"AlarmNames": ["{id}"]}),),
        tags=Tags(),
        outputs={"arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{id}"},
    ),
}
