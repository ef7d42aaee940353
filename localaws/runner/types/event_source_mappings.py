"""Event source mappings of functions."""

from localaws.runner.table import ALL, Call, Entry, Tags

_CHANGEABLE = (
    "amazonManagedKafkaEventSourceConfig",
    "batchSize",
    "bisectBatchOnFunctionError",
    "destinationConfig",
    "documentDbEventSourceConfig",
    "enabled",
    "filterCriteria",
    "functionName",
    "functionResponseTypes",
    "kmsKeyArn",
    "maximumBatchingWindowInSeconds",
    "maximumRecordAgeInSeconds",
    "maximumRetryAttempts",
    "metricsConfig",
    "parallelizationFactor",
    "provisionedPollerConfig",
    "scalingConfig",
    "sourceAccessConfigurations",
    "tumblingWindowInSeconds",
)

TYPES = {
    "aws:lambda/eventSourceMapping:EventSourceMapping": Entry(
        service="lambda",
        create=Call("create_event_source_mapping", auto=ALL),
        update=(Call("update_event_source_mapping", {"UUID": "{id}"}, auto=_CHANGEABLE),),
        id="{made.UUID}",
        read=Call("get_event_source_mapping", {"UUID": "{id}"}),
        delete=(Call("delete_event_source_mapping", {"UUID": "{id}"}),),
        rename={
            "destinationArn": "Destination",
        },
        defaults={"enabled": True},
        provider_only={"useResourceTimeoutForPropagation": "only changes how long the provider waits"},
        tags=Tags(),
        outputs={
            "arn": "{found.EventSourceMappingArn}",
            "functionArn": "{found.FunctionArn}",
            "lastModified": lambda context: context.found["LastModified"].isoformat(),
            "state": "{found.State}",
            "stateTransitionReason": "{found.StateTransitionReason}",
            "uuid": "{id}",
        },
        unanswered={"lastProcessingResult": "nothing has been processed when it is made"},
    ),
}
