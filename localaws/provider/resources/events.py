"""EventBridge buses."""

from typing import Any

from localaws.core.errors import TableError
from localaws.provider.context import Context
from localaws.provider.table import ALL, Call, Do, Entry, Name, Tags

_CHANGEABLE = ("description", "eventPattern", "roleArn", "scheduleExpression", "state")
_TARGET = {
    "arn": "Arn",
    "deadLetterConfig": "DeadLetterConfig",
    "input": "Input",
    "inputPath": "InputPath",
    "retryPolicy": "RetryPolicy",
    "roleArn": "RoleArn",
    "sqsTarget": "SqsParameters",
}


def _bus(context: Context) -> str:
    return str(context.inputs.get("eventBusName") or "default")


def _target_id(context: Context) -> str:
    """The provider makes up an id when the program gives none."""
    if context.out.get("targetId"):
        return str(context.out["targetId"])
    return str(context.inputs.get("targetId") or f"pulumi-{context.entropy.getrandbits(96):024x}")


def _put_target(context: Context) -> dict[str, str]:
    target: dict[str, Any] = {word: context.inputs[key] for key, word in _TARGET.items() if key in context.inputs}
    if transformer := context.inputs.get("inputTransformer"):
        target["InputTransformer"] = {
            "InputPathsMap": transformer.get("inputPaths") or {},
            "InputTemplate": transformer["inputTemplate"],
        }
    target["Id"] = _target_id(context)
    asked = {"Rule": context.inputs["rule"], "EventBusName": _bus(context), "Targets": [target]}
    answer = context.call("put_targets", asked)
    for failure in answer.get("FailedEntries") or []:
        if not context.synthetic:
            raise TableError(f"{context.type}: {failure.get('ErrorCode')}: {failure.get('ErrorMessage')}")
    return {"Id": target["Id"]}


def _remove_target(context: Context) -> None:
    asked = {"Rule": context.inputs["rule"], "EventBusName": _bus(context), "Ids": [context.out["targetId"]]}
    context.call("remove_targets", asked)


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
    "aws:cloudwatch/eventRule:EventRule": Entry(
        service="events",
        create=Call("put_rule", auto=ALL),
        update=(Call("put_rule", {"Name": "{out.name}", "EventBusName": _bus}, auto=_CHANGEABLE),),
        id="{in.name}",
        delete=(Call("delete_rule", {"Name": "{id}", "EventBusName": _bus}),),
        autoname=Name(limit=64),
        provider_only={"forceDestroy": "only changes how the provider deletes"},
        tags=Tags(),
        outputs={"arn": "{made.RuleArn}"},
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Entry(
        service="events",
        create=Do(_put_target, takes=(*_TARGET, "inputTransformer", "rule", "eventBusName", "targetId")),
        update=(Do(_put_target, takes=(*_TARGET, "inputTransformer")),),
        id="{in.rule}-{made.Id}",
        delete=(Do(_remove_target),),
        provider_only={"forceDestroy": "only changes how the provider deletes"},
        outputs={"targetId": "{made.Id}"},
    ),
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
