"""Step Functions."""

from localaws.provider.table import Call, Entry, Name, Tags

_SETTINGS = {
    "definition": "{in.definition}",
    "roleArn": "{in.roleArn}",
    "loggingConfiguration": {
        "level": "{in.loggingConfiguration.level}",
        "includeExecutionData": "{in.loggingConfiguration.includeExecutionData}",
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": "{in.loggingConfiguration.logDestination}"}}],
    },
    "tracingConfiguration": {"enabled": "{in.tracingConfiguration.enabled}"},
    "encryptionConfiguration": "{in.encryptionConfiguration}",
}

TYPES = {
    "aws:sfn/stateMachine:StateMachine": Entry(
        service="stepfunctions",
        create=Call("create_state_machine", {"name": "{in.name}", "type": "{in.type}", **_SETTINGS}),
        update=(Call("update_state_machine", {"stateMachineArn": "{id}", **_SETTINGS}),),
        read=Call("describe_state_machine", {"stateMachineArn": "{id}"}),
        id="{made.stateMachineArn}",
        delete=(Call("delete_state_machine", {"stateMachineArn": "{id}"}),),
        autoname=Name(limit=80),
        tags=Tags(inline=False),
        outputs={
            "arn": "{id}",
            "creationDate": lambda context: context.found["creationDate"].isoformat(),
            "description": "",
            "status": "{found.status}",
        },
        unanswered={
            "revisionId": "the emulator keeps no revisions",
            "stateMachineVersionArn": "no version is published",
            "versionDescription": "no version is published",
        },
    ),
}
