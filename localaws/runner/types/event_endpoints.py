"""Global endpoints of event buses."""

from localaws.runner.table import ALL, Call, Entry, Name

TYPES = {
    "aws:cloudwatch/eventEndpoint:EventEndpoint": Entry(
        service="events",
        create=Call("create_endpoint", auto=ALL),
        update=(
            Call(
                "update_endpoint",
                {"Name": "{id}"},
                auto=("description", "eventBuses", "replicationConfig", "roleArn", "routingConfig"),
            ),
        ),
        id="{in.name}",
        read=Call("describe_endpoint", {"Name": "{id}"}),
        ready="found.State == 'ACTIVE'",
        delete=(Call("delete_endpoint", {"Name": "{id}"}),),
        autoname=Name(limit=64),
        outputs={"arn": "{found.Arn}", "endpointUrl": "{found.EndpointUrl}"},
    ),
}
