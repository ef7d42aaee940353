"""API keys, and the usage plans that say where and how often they open the door."""

from typing import Any

from localaws.runner.context import Context
from localaws.runner.table import ALL, Call, Do, Entry, Name, Tags
from localaws.runner.types.apigateway import created, patch


def _updated(context: Context) -> str:
    moment = context.found.get("lastUpdatedDate") or context.made.get("lastUpdatedDate")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


def _patch_key(context: Context) -> None:
    words = ("name", "description", "enabled", "customerId")
    patches = [patch(f"/{word}", context.inputs.get(word, "")) for word in words if _changed(context, word)]
    context.call("update_api_key", {"apiKey": context.id, "patchOperations": patches})


def _changed(context: Context, word: str) -> bool:
    return bool(context.inputs.get(word) != context.before.get(word))


def _stages(given: dict[str, Any]) -> set[str]:
    return {f"{item['apiId']}:{item['stage']}" for item in given.get("apiStages") or []}


def _patch_plan(context: Context) -> None:
    """Stages are added and removed one by one; limits are set whole."""
    wanted, former = _stages(context.inputs), _stages(context.before)
    patches = [{"op": "remove", "path": "/apiStages", "value": stage} for stage in sorted(former - wanted)]
    patches += [{"op": "add", "path": "/apiStages", "value": stage} for stage in sorted(wanted - former)]
    patches += [
        patch(f"/{word}", context.inputs.get(word, "")) for word in ("name", "description") if _changed(context, word)
    ]
    for argument, word in (("throttleSettings", "throttle"), ("quotaSettings", "quota")):
        if not _changed(context, argument):
            continue
        settings = context.inputs.get(argument)
        if settings is None:
            patches.append({"op": "remove", "path": f"/{word}"})
        patches += [patch(f"/{word}/{key}", value) for key, value in sorted((settings or {}).items())]
    context.call("update_usage_plan", {"usagePlanId": context.id, "patchOperations": patches})


def _leave_stages(context: Context) -> None:
    """AWS deletes no plan that still has stages."""
    stages = sorted(_stages(context.inputs))
    patches = [{"op": "remove", "path": "/apiStages", "value": stage} for stage in stages]
    if patches:
        context.call("update_usage_plan", {"usagePlanId": context.id, "patchOperations": patches})


_PLAN_KEY = {"usagePlanId": "{in.usagePlanId}", "keyId": "{in.keyId}"}

TYPES = {
    "aws:apigateway/apiKey:ApiKey": Entry(
        service="apigateway",
        create=Call("create_api_key", auto=ALL),
        update=(Do(_patch_key, takes=("name", "description", "enabled", "customerId")),),
        id="{made.id}",
        read=Call("get_api_key", {"apiKey": "{id}", "includeValue": True}),
        delete=(Call("delete_api_key", {"apiKey": "{id}"}),),
        defaults={"description": "Managed by Pulumi", "enabled": True},
        autoname=Name(limit=1024),
        tags=Tags(inline=False),
        outputs={
            "arn": "arn:aws:apigateway:{region}::/apikeys/{id}",
            "createdDate": created,
            "lastUpdatedDate": _updated,
            "value": "{found.value}",
        },
        secret_outputs=("value",),
    ),
    "aws:apigateway/usagePlan:UsagePlan": Entry(
        service="apigateway",
        create=Call("create_usage_plan", auto=ALL),
        update=(Do(_patch_plan, takes=("name", "description", "apiStages", "throttleSettings", "quotaSettings")),),
        id="{made.id}",
        delete=(Do(_leave_stages), Call("delete_usage_plan", {"usagePlanId": "{id}"})),
        rename={"throttleSettings": "throttle", "quotaSettings": "quota"},
        autoname=Name(limit=1024),
        tags=Tags(inline=False),
        outputs={"arn": "arn:aws:apigateway:{region}::/usageplans/{id}"},
    ),
    "aws:apigateway/usagePlanKey:UsagePlanKey": Entry(
        service="apigateway",
        create=Call("create_usage_plan_key", auto=ALL),
        id="{in.keyId}",
        read=Call("get_usage_plan_key", _PLAN_KEY),
        delete=(Call("delete_usage_plan_key", _PLAN_KEY),),
        outputs={"name": "{found.name}", "value": "{found.value}"},
        secret_outputs=("value",),
    ),
}
