"""EventBridge buses."""

from localaws.runner.table import ALL, Call, Entry, Name, Tags

TYPES = {
    "aws:cloudwatch/eventBus:EventBus": Entry(
        service="events",
        create=Call("create_event_bus", auto=ALL),
        update=(
            Call(
                "update_event_bus",
                {"Name": "{id}"},
                auto=("description", "kmsKeyIdentifier", "deadLetterConfig", "logConfig"),
            ),
        ),
        id="{in.name}",
        delete=(Call("delete_event_bus", {"Name": "{id}"}),),
        rename={"deadLetterConfig": "DeadLetterConfig"},
        autoname=Name(limit=256),
        tags=Tags(),
        outputs={"arn": "{made.EventBusArn}"},
    ),
}
