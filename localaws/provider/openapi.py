"""An OpenAPI document as API Gateway's own resources, methods and integrations.

On AWS one call imports the document (PutRestApi); the emulator has no such call, so the document is taken apart here.
What this does not understand and what would change how the API behaves is an error that names it.
See https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localaws.core.errors import TableError
from localaws.provider.context import Context

_X = "x-amazon-apigateway-"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", f"{_X}any-method")
_DOCUMENT = {
    f"{_X}request-validators",
    f"{_X}request-validator",
    f"{_X}gateway-responses",
    f"{_X}policy",
    f"{_X}binary-media-types",
    f"{_X}minimum-compression-size",
    f"{_X}api-key-source",
}
_OPERATION = {f"{_X}integration", f"{_X}request-validator"}
_PLACES = {"path": "path", "query": "querystring", "header": "header"}
_LARGEST_PAGE = 500


@dataclass
class _Api:
    """The validators and authorizers that the methods of one API refer to, by the document's names."""

    context: Context
    id: str
    validators: dict[str, str] = field(default_factory=dict)
    security: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.context.call(operation, {"restApiId": self.id, **parameters})


def settings(document: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a document that are settings of the API itself, under CreateRestApi's names."""
    words = {
        f"{_X}binary-media-types": "binaryMediaTypes",
        f"{_X}minimum-compression-size": "minimumCompressionSize",
        f"{_X}api-key-source": "apiKeySource",
        f"{_X}policy": "policy",
    }
    return {word: document[key] for key, word in words.items() if key in document}


def build(context: Context, api_id: str, document: Mapping[str, Any]) -> None:
    """Make everything `document` describes in an API that has only its root. Raises TableError for what is unknown."""
    _refuse_unknown(document, _DOCUMENT, "the document")
    api = _Api(context, api_id)
    components = document.get("components") or {}
    for name, schema in (components.get("schemas") or {}).items():
        api.models.add(name)
        api.call("create_model", name=name, contentType="application/json", schema=_schema(api, schema))
    for name, rule in (document.get(f"{_X}request-validators") or {}).items():
        api.validators[name] = api.call("create_request_validator", name=name, **rule)["id"]
    for name, scheme in (components.get("securitySchemes") or {}).items():
        api.security[name] = _security(api, name, scheme)
    for kind, response in (document.get(f"{_X}gateway-responses") or {}).items():
        fields = {key: str(value) if key == "statusCode" else value for key, value in response.items()}
        api.call("put_gateway_response", responseType=kind, **fields)
    resources = {"/": root(context, api_id)}
    for path, item in document["paths"].items():
        shared = item.get("parameters") or []
        for method in _METHODS:
            if method in item:
                operation = {**item[method], "parameters": [*shared, *(item[method].get("parameters") or [])]}
                verb = "ANY" if method.startswith(_X) else method.upper()
                _method(api, _resource(api, resources, path), verb, operation, document, f"{verb} {path}")


def clear(context: Context, api_id: str) -> None:
    """Take away everything but the root and the deployments, so that `build` can start again."""
    asked = {"restApiId": api_id, "limit": _LARGEST_PAGE}
    found = context.call("get_resources", {**asked, "embed": ["methods"]})["items"]
    for resource in sorted(found, key=lambda item: str(item["path"]), reverse=True):  # children before their parents
        if resource["path"] == "/":
            for verb in resource.get("resourceMethods") or {}:
                method = {"restApiId": api_id, "resourceId": resource["id"], "httpMethod": verb}
                context.call("delete_method", method)
        else:
            context.call("delete_resource", {"restApiId": api_id, "resourceId": resource["id"]})
    for listing, removing, key, parameter in (
        ("get_models", "delete_model", "name", "modelName"),
        ("get_request_validators", "delete_request_validator", "id", "requestValidatorId"),
        ("get_authorizers", "delete_authorizer", "id", "authorizerId"),
    ):
        for item in context.call(listing, asked).get("items") or []:
            context.call(removing, {"restApiId": api_id, parameter: item[key]})


def root(context: Context, api_id: str) -> str:
    """The id of the resource `/`."""
    found = context.call("get_resources", {"restApiId": api_id, "limit": _LARGEST_PAGE})["items"]
    return next(str(item["id"]) for item in found if context.synthetic or item["path"] == "/")


def _resource(api: _Api, made: dict[str, str], path: str) -> str:
    """The id of `path`'s resource, made together with its parents where they are missing."""
    path = path.rstrip("/") or "/"
    if path not in made:
        parent, _, part = path.rpartition("/")
        created = api.call("create_resource", parentId=_resource(api, made, parent), pathPart=part)
        made[path] = created["id"]
    return made[path]


def _method(
    api: _Api, resource: str, verb: str, operation: Mapping[str, Any], document: Mapping[str, Any], where: str
) -> None:
    _refuse_unknown(operation, _OPERATION, where)
    place = {"resourceId": resource, "httpMethod": verb}
    parameters = {
        f"method.request.{_PLACES[item['in']]}.{item['name']}": bool(item.get("required"))
        for item in operation["parameters"]
        if item.get("in") in _PLACES
    }
    asked: dict[str, Any] = {"authorizationType": "NONE", "requestParameters": parameters}
    for requirement in operation.get("security", document.get("security")) or []:
        for name, scopes in requirement.items():
            asked |= api.security[name]
            asked |= {"authorizationScopes": scopes} if scopes else {}
    validator = operation.get(f"{_X}request-validator", document.get(f"{_X}request-validator"))
    if validator:
        asked["requestValidatorId"] = api.validators[validator]
    models = _models(api, operation, where)
    if models:
        asked["requestModels"] = models
    if operation.get("operationId"):
        asked["operationName"] = operation["operationId"]
    api.call("put_method", **place, **asked)
    for status, response in (operation.get("responses") or {}).items():
        if status != "default":
            headers = {f"method.response.header.{name}": True for name in response.get("headers") or {}}
            api.call("put_method_response", **place, statusCode=str(status), responseParameters=headers)
    integration = operation.get(f"{_X}integration")
    if integration is None:
        raise TableError(f"{where} has no {_X}integration")
    _integration(api, place, integration)


def _integration(api: _Api, place: dict[str, str], given: Mapping[str, Any]) -> None:
    words = {"httpMethod": "integrationHttpMethod"}
    fields = {words.get(key, key): value for key, value in given.items() if key not in ("responses", "type")}
    api.call("put_integration", **place, type=str(given["type"]).upper(), **fields)
    for pattern, response in (given.get("responses") or {}).items():
        selection = {} if pattern == "default" else {"selectionPattern": pattern}
        shown = {key: value for key, value in response.items() if key != "statusCode"}
        status = str(response["statusCode"])
        api.call("put_integration_response", **place, statusCode=status, **selection, **shown)


def _models(api: _Api, operation: Mapping[str, Any], where: str) -> dict[str, str]:
    """The model of each content type of the request body; only named ones, as `#/components/schemas/<name>`."""
    found = {}
    for kind, body in ((operation.get("requestBody") or {}).get("content") or {}).items():
        name = str((body.get("schema") or {}).get("$ref", "")).rpartition("/")[2]
        if body.get("schema") and name not in api.models:
            raise TableError(f"{where}: the body's schema must refer to one of components.schemas")
        if name:
            found[kind] = name
    return found


def _schema(api: _Api, schema: Any) -> str:
    """A schema whose references name models of this API, as the import on AWS writes them."""
    models = f"https://apigateway.amazonaws.com/restapis/{api.id}/models/"
    return json.dumps(schema, sort_keys=True).replace('"#/components/schemas/', f'"{models}')


def _security(api: _Api, name: str, scheme: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a method that follow from a security scheme of the document."""
    if scheme.get("type") == "apiKey" and str(scheme.get("name")).lower() == "x-api-key":
        return {"apiKeyRequired": True}
    if str(scheme.get(f"{_X}authtype")).lower() == "awssigv4":
        return {"authorizationType": "AWS_IAM"}
    given = scheme.get(f"{_X}authorizer")
    if not given:
        raise TableError(f"security scheme {name} is neither an API key, nor awsSigv4, nor an authorizer")
    kind = str(given["type"]).upper()
    source = given.get("identitySource") or f"method.request.header.{scheme['name']}"
    fields = {key: value for key, value in given.items() if key not in ("type", "identitySource")}
    made = api.call("create_authorizer", name=name, type=kind, identitySource=source, **fields)
    method = kind if kind == "COGNITO_USER_POOLS" else "CUSTOM"
    return {"authorizationType": method, "authorizerId": made["id"]}


def _refuse_unknown(part: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(key for key in part if key.startswith("x-amazon-") and key not in known)
    if unknown:
        raise TableError(f"{where}: {', '.join(unknown)} is not understood; see localaws/provider/openapi.py")
