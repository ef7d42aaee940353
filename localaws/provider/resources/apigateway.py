"""REST APIs from their OpenAPI documents, their policies, and the account's settings."""

import json
from typing import Any

from localaws.provider import openapi
from localaws.provider.context import Context
from localaws.provider.table import ALL, Call, Do, Entry, Maybe, Name, Tags


def patch(path: str, value: Any) -> dict[str, str]:
    """One patch; its value is always a text."""
    text = json.dumps(value) if isinstance(value, bool | dict | list) else str(value)
    return {"op": "replace", "path": path, "value": text}


def _document(context: Context) -> dict[str, Any]:
    body = context.inputs.get("body")
    document: dict[str, Any] = json.loads(body) if isinstance(body, str) else dict(body or {})
    return document


def _create_api(context: Context) -> dict[str, Any]:
    """The API with its settings, those in the document among them; arguments win over the document."""
    keys = (
        "name",
        "description",
        "apiKeySource",
        "binaryMediaTypes",
        "disableExecuteApiEndpoint",
        "endpointConfiguration",
        "minimumCompressionSize",
        "policy",
    )
    given = {key: context.inputs[key] for key in keys if key in context.inputs}
    tags = {"tags": context.tags} if context.tags else {}
    return context.call("create_rest_api", {**openapi.settings(_document(context)), **given, **tags})


def _build(context: Context) -> None:
    """The document's paths; after a change everything is created again, as an import in overwrite mode does."""
    document = _document(context)
    if context.before:
        openapi.clear(context, context.id)
    if document:
        openapi.build(context, context.id, document)


def _patch_api(context: Context) -> None:
    words = ("name", "description", "disableExecuteApiEndpoint", "apiKeySource", "minimumCompressionSize", "policy")
    patches = [
        patch(f"/{word}", context.inputs.get(word, ""))
        for word in words
        if context.inputs.get(word) != context.before.get(word)
    ]
    context.call("update_rest_api", {"restApiId": context.id, "patchOperations": patches})


def _account_role(context: Context) -> None:
    _set_role(context, context.inputs.get("cloudwatchRoleArn", ""))


def _forget_role(context: Context) -> None:
    """Pulumi's provider resets the account's setting, for everyone, since its line 7."""
    _set_role(context, "")


def _set_role(context: Context, arn: str) -> None:
    context.call("update_account", {"patchOperations": [patch("/cloudwatchRoleArn", arn)]})


def _set_policy(context: Context, policy: str) -> None:
    patches = [patch("/policy", policy)]
    context.call("update_rest_api", {"restApiId": context.inputs["restApiId"], "patchOperations": patches})


def created(context: Context) -> str:
    moment = context.made.get("createdDate")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else str(context.out["createdDate"])


TYPES = {
    "aws:apigateway/restApi:RestApi": Entry(
        service="apigateway",
        create=Do(
            _create_api,
            takes=(
                "name",
                "description",
                "apiKeySource",
                "binaryMediaTypes",
                "disableExecuteApiEndpoint",
                "endpointConfiguration",
                "minimumCompressionSize",
                "policy",
            ),
        ),
        puts=(Do(_build, takes=("body",)),),
        update=(
            Do(
                _patch_api,
                takes=(
                    "name",
                    "description",
                    "disableExecuteApiEndpoint",
                    "apiKeySource",
                    "minimumCompressionSize",
                    "policy",
                ),
            ),
        ),
        id="{made.id}",
        delete=(Call("delete_rest_api", {"restApiId": "{id}"}),),
        autoname=Name(limit=1024),
        provider_only={
            "failOnWarnings": "the document is taken apart here, and anything unclear in it is an error",
            "putRestApiMode": "a changed document always replaces the former one here",
        },
        tags=Tags(),
        outputs={
            "arn": "arn:aws:apigateway:{region}::/restapis/{id}",
            "executionArn": "arn:aws:execute-api:{region}:{account}:{id}",
            "rootResourceId": lambda context: openapi.root(context, context.id),
            "createdDate": created,
        },
    ),
    "aws:apigateway/account:Account": Entry(
        service="apigateway",
        create=Do(_account_role, takes=("cloudwatchRoleArn",)),
        update=(Do(_account_role, takes=("cloudwatchRoleArn",)),),
        id="api-gateway-account",
        read=Call("get_account"),
        delete=(Do(_forget_role),),
        outputs={
            "apiKeyVersion": lambda context: context.get("found.apiKeyVersion") or "",
            "features": lambda context: context.get("found.features") or [],
            "throttleSettings": lambda context: [
                {"burstLimit": item.get("burstLimit", 0), "rateLimit": item.get("rateLimit", 0)}
                for item in [context.get("found.throttleSettings") or {}]
            ],
        },
    ),
    "aws:apigateway/restApiPolicy:RestApiPolicy": Entry(
        service="apigateway",
        create=Do(lambda context: _set_policy(context, context.inputs["policy"]), takes=("restApiId", "policy")),
        update=(Do(lambda context: _set_policy(context, context.inputs["policy"]), takes=("policy",)),),
        id="{in.restApiId}",
        delete=(Do(lambda context: _set_policy(context, "")),),
    ),
    "aws:apigateway/domainName:DomainName": Entry(
        service="apigateway",
        create=Call("create_domain_name", auto=ALL),
        id="{in.domainName}",
        read=Call("get_domain_name", {"domainName": "{id}"}),
        delete=(Call("delete_domain_name", {"domainName": "{id}"}),),
        tags=Tags(inline=False),
        outputs={
            "arn": "arn:aws:apigateway:{region}::/domainnames/{id}",
            "regionalDomainName": "{found.regionalDomainName}",
            "regionalZoneId": "{found.regionalHostedZoneId}",
            "cloudfrontDomainName": Maybe(value="{found.distributionDomainName}"),
            "cloudfrontZoneId": "Z2FDTNDATAQYW2",  # CloudFront's own, which the provider shows for every domain
            "certificateUploadDate": "",
            "domainNameId": "",  # private domains only
            "securityPolicy": "{found.securityPolicy}",
        },
        secret_outputs=("certificatePrivateKey",),
    ),
    "aws:apigateway/basePathMapping:BasePathMapping": Entry(
        service="apigateway",
        create=Call("create_base_path_mapping", auto=ALL),
        id="{in.domainName}/{in.basePath || ''}",
        delete=(
            Call(
                "delete_base_path_mapping", {"domainName": "{in.domainName}", "basePath": "{in.basePath || '(none)'}"}
            ),
        ),
        rename={"restApi": "restApiId", "stageName": "stage"},
    ),
}
