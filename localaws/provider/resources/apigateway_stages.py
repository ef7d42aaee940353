"""API keys, usage plans, deployments, stages and method settings."""

from typing import Any

from localaws.provider.context import Context
from localaws.provider.resources.apigateway import created, patch
from localaws.provider.table import ALL, Call, Do, Entry, Name, Tags


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
    """AWS deletes no plan that has stages."""
    stages = sorted(_stages(context.inputs))
    patches = [{"op": "remove", "path": "/apiStages", "value": stage} for stage in stages]
    if patches:
        context.call("update_usage_plan", {"usagePlanId": context.id, "patchOperations": patches})


_PLAN_KEY = {"usagePlanId": "{in.usagePlanId}", "keyId": "{in.keyId}"}


_SETTINGS = {
    "metricsEnabled": "metrics/enabled",
    "loggingLevel": "logging/loglevel",
    "dataTraceEnabled": "logging/dataTrace",
    "throttlingBurstLimit": "throttling/burstLimit",
    "throttlingRateLimit": "throttling/rateLimit",
    "cachingEnabled": "caching/enabled",
    "cacheTtlInSeconds": "caching/ttlInSeconds",
    "cacheDataEncrypted": "caching/dataEncrypted",
    "requireAuthorizationForCacheControl": "caching/requireAuthorizationForCacheControl",
    "unauthorizedCacheControlHeaderStrategy": "caching/unauthorizedCacheControlHeaderStrategy",
}


_NO_LIMIT = -1  # the provider's word for an unset throttling limit; the emulator would refuse every request


def _log_access(context: Context) -> None:
    wanted = context.inputs.get("accessLogSettings") or {}
    patches = [patch(f"/accessLogSettings/{key}", value) for key, value in sorted(wanted.items())]
    if not wanted and context.before:
        patches = [{"op": "remove", "path": "/accessLogSettings"}]
    if patches:
        _patch_stage(context, patches)


def _move_stage(context: Context) -> None:
    """Another deployment, other variables."""
    wanted, former = context.inputs.get("variables") or {}, context.before.get("variables") or {}
    patches = [patch("/deploymentId", context.inputs["deployment"])]
    patches += [patch(f"/variables/{key}", value) for key, value in sorted(wanted.items())]
    patches += [{"op": "remove", "path": f"/variables/{key}"} for key in sorted(former.keys() - wanted.keys())]
    patches.append(patch("/tracingEnabled", bool(context.inputs.get("xrayTracingEnabled"))))
    _patch_stage(context, patches)


def _patch_stage(context: Context, patches: list[dict[str, str]]) -> None:
    stage = {"restApiId": context.out["restApi"], "stageName": context.out["stageName"]}
    context.call("update_stage", {**stage, "patchOperations": patches})


def _set_methods(context: Context) -> None:
    path, given = context.inputs["methodPath"], context.inputs["settings"]
    limits = ("throttlingBurstLimit", "throttlingRateLimit")
    patches = [
        patch(f"/{path}/{_SETTINGS[key]}", value)
        for key, value in sorted(given.items())
        if not (key in limits and value == _NO_LIMIT)
    ]
    if patches:
        _patch_stage(context, patches)


def _reset_methods(context: Context) -> None:
    _patch_stage(context, [{"op": "remove", "path": f"/{context.inputs['methodPath']}"}])


_STAGE = {"restApiId": "{in.restApi}", "stageName": "{in.stageName}"}

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
    "aws:apigateway/deployment:Deployment": Entry(
        service="apigateway",
        create=Call("create_deployment", auto=ALL),
        id="{made.id}",
        delete=(Call("delete_deployment", {"restApiId": "{in.restApi}", "deploymentId": "{id}"}),),
        rename={"restApi": "restApiId"},
        provider_only={"triggers": "only makes the provider create a new deployment"},
        outputs={"createdDate": created},
    ),
    "aws:apigateway/stage:Stage": Entry(
        service="apigateway",
        create=Call("create_stage", auto=ALL),
        puts=(Do(_log_access, takes=("accessLogSettings",)),),
        update=(Do(_move_stage, takes=("deployment", "variables", "xrayTracingEnabled")),),
        id="ags-{in.restApi}-{in.stageName}",
        delete=(Call("delete_stage", _STAGE),),
        rename={"restApi": "restApiId", "deployment": "deploymentId", "xrayTracingEnabled": "tracingEnabled"},
        tags=Tags(inline=False),  # the emulator forgets those of the creating call
        outputs={
            "arn": "arn:aws:apigateway:{region}::/restapis/{in.restApi}/stages/{in.stageName}",
            "executionArn": "arn:aws:execute-api:{region}:{account}:{in.restApi}/{in.stageName}",
            "invokeUrl": "https://{in.restApi}.execute-api.{region}.amazonaws.com/{in.stageName}",
            "webAclArn": "",
        },
    ),
    "aws:apigateway/methodSettings:MethodSettings": Entry(
        service="apigateway",
        create=Do(_set_methods, takes=("restApi", "stageName", "methodPath", "settings")),
        update=(Do(_set_methods, takes=("settings",)),),
        id="{in.restApi}-{in.stageName}-{in.methodPath}",
        delete=(Do(_reset_methods),),
    ),
}
