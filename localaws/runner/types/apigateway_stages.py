"""Deployments, stages and their method settings."""

from localaws.runner.context import Context
from localaws.runner.table import ALL, Call, Do, Entry, Tags
from localaws.runner.types.apigateway import created, patch

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
    "aws:apigateway/deployment:Deployment": Entry(
        service="apigateway",
        create=Call("create_deployment", auto=ALL),
        id="{made.id}",
        delete=(Call("delete_deployment", {"restApiId": "{in.restApi}", "deploymentId": "{id}"}),),
        rename={"restApi": "restApiId"},
        provider_only={"triggers": "only tells the provider to make a new deployment"},
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
