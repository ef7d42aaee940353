"""Functions, permissions and layers."""

from typing import Any

from localaws.provider.context import Context
from localaws.provider.table import ALL, Call, Do, Entry, Name, Tags

_LAYER_REASON = (
    "functions run on this machine's Python, which has the pinned libraries itself; a layer built for another "
    "processor would break them, so an empty one is published"
)
# An empty zip archive: its end-of-directory record alone (APPNOTE.TXT 4.3.16).
_EMPTY_ZIP = b"PK\x05\x06" + bytes(18)

_CONFIGURATION = (
    "deadLetterConfig",
    "description",
    "environment",
    "ephemeralStorage",
    "fileSystemConfig",
    "handler",
    "kmsKeyArn",
    "layers",
    "loggingConfig",
    "memorySize",
    "role",
    "runtime",
    "snapStart",
    "timeout",
    "tracingConfig",
    "vpcConfig",
)


def _code(context: Context) -> dict[str, Any]:
    given = context.inputs
    key = {"SourceKMSKeyArn": given["sourceKmsKeyArn"]} if given.get("sourceKmsKeyArn") else {}
    if given.get("code") is not None:
        return {"ZipFile": given["code"], **key}
    if given.get("imageUri"):
        return {"ImageUri": given["imageUri"]}
    found = {
        "S3Bucket": given.get("s3Bucket"),
        "S3Key": given.get("s3Key"),
        "S3ObjectVersion": given.get("s3ObjectVersion"),
    }
    return {**{name: value for name, value in found.items() if value is not None}, **key}


def _new_code(context: Context) -> None:
    context.call("update_function_code", {"FunctionName": context.id, **_code(context)})


def _concurrency(context: Context) -> None:
    """-1 means no reservation, in the provider and not in AWS."""
    reserved = context.inputs.get("reservedConcurrentExecutions", -1)
    if reserved >= 0:
        asked = {"FunctionName": context.id, "ReservedConcurrentExecutions": reserved}
        context.call("put_function_concurrency", asked)
    elif context.before.get("reservedConcurrentExecutions", -1) >= 0:
        context.call("delete_function_concurrency", {"FunctionName": context.id})


def _invoke_arn(arn: str) -> str:
    return f"arn:aws:apigateway:{{region}}:lambda:path/2015-03-31/functions/{arn}/invocations"


_PLACES = ("code", "imageUri", "s3Bucket", "s3Key", "s3ObjectVersion", "sourceKmsKeyArn")


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
    "aws:lambda/function:Function": Entry(
        service="lambda",
        create=Call("create_function", {"Code": _code}, auto=ALL, takes=_PLACES),
        puts=(Do(_concurrency, takes=("reservedConcurrentExecutions",)),),
        update=(
            Do(_new_code, takes=_PLACES),
            Call("update_function_configuration", {"FunctionName": "{id}"}, auto=_CONFIGURATION),
        ),
        id="{made.FunctionName}",
        read=Call("get_function", {"FunctionName": "{id}"}),
        delete=(Call("delete_function", {"FunctionName": "{id}"}),),
        rename={"name": "FunctionName", "fileSystemConfig": "FileSystemConfigs", "logGroup": "LogGroup"},
        autoname=Name(limit=64),
        defaults={"timeout": 3, "memorySize": 128},
        provider_only={
            "sourceCodeHash": "the provider's own sign that the code changed",
            "skipDestroy": "only changes how the provider deletes",
            "replaceSecurityGroupsOnDestroy": "only changes how the provider deletes",
            "replacementSecurityGroupIds": "only changes how the provider deletes",
        },
        tags=Tags(),
        outputs={
            "arn": "{found.Configuration.FunctionArn}",
            "version": "{found.Configuration.Version}",
            "lastModified": "{found.Configuration.LastModified}",
            "sourceCodeSize": "{found.Configuration.CodeSize}",
            "codeSha256": "{found.Configuration.CodeSha256}",
            "sourceCodeHash": "{found.Configuration.CodeSha256}",
            "invokeArn": _invoke_arn("{out.arn}"),
            "qualifiedArn": "{out.arn}:{out.version}",
            "qualifiedInvokeArn": _invoke_arn("{out.qualifiedArn}"),
            "responseStreamingInvokeArn": (
                "arn:aws:apigateway:{region}:lambda:path/2021-11-15/functions/{out.arn}/response-streaming-invocations"
            ),
            "signingJobArn": "",
            "signingProfileVersionArn": "",
        },
    ),
    "aws:lambda/functionRecursionConfig:FunctionRecursionConfig": Entry(
        service="lambda",
        create=Call("put_function_recursion_config", auto=ALL),
        update=(Call("put_function_recursion_config", {"FunctionName": "{id}"}, auto=("recursiveLoop",)),),
        id="{in.functionName}",
        # The provider's way to delete it: back to AWS's default.
        delete=(Call("put_function_recursion_config", {"FunctionName": "{id}", "RecursiveLoop": "Terminate"}),),
    ),
    "aws:lambda/permission:Permission": Entry(
        service="lambda",
        create=Call("add_permission", auto=ALL),
        id="{in.statementId}",
        delete=(
            Call(
                "remove_permission",
                {
                    "FunctionName": "{in.function}",
                    "StatementId": "{id}",
                    "Qualifier": "{in.qualifier}",
                },
            ),
        ),
        rename={"function": "FunctionName"},
        autoname=Name(argument="statementId", limit=100),
    ),
    "aws:lambda/layerVersion:LayerVersion": Entry(
        service="lambda",
        create=Call("publish_layer_version", {"Content": {"ZipFile": _EMPTY_ZIP}}, auto=ALL),
        id="{made.LayerVersionArn}",
        delete=(
            Call(
                "delete_layer_version",
                {"LayerName": "{in.layerName}", "VersionNumber": lambda context: int(context.out["version"])},
            ),
        ),
        provider_only={
            "code": _LAYER_REASON,
            "s3Bucket": _LAYER_REASON,
            "s3Key": _LAYER_REASON,
            "s3ObjectVersion": _LAYER_REASON,
            "sourceCodeHash": "the provider's own sign that the code changed",
            "skipDestroy": "only changes how the provider deletes",
        },
        outputs={
            "arn": "{made.LayerVersionArn}",
            "layerArn": "{made.LayerArn}",
            "version": lambda context: str(context.out["arn"]).rpartition(":")[2],
            "createdDate": "{made.CreatedDate}",
            "codeSha256": "{made.Content.CodeSha256}",
            "sourceCodeHash": "{made.Content.CodeSha256}",
            "sourceCodeSize": "{made.Content.CodeSize}",
            "signingJobArn": "",
            "signingProfileVersionArn": "",
        },
    ),
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
