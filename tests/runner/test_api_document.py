"""An OpenAPI document becomes an API that answers over HTTP."""

import json
from typing import Any

import httpx
import pytest

from localaws.engine import DeployError
from tests.runner.conftest import Client, Programs

PROGRAM = """
trust = {"Version": "2012-10-17", "Statement": []}
role = aws.iam.Role("echo", assume_role_policy=json.dumps(trust), opts=opts)
function = aws.lambda_.Function(
    "echo", role=role.arn, runtime="python3.13", handler="handler.handle", opts=opts,
    code=pulumi.AssetArchive({"handler.py": pulumi.StringAsset(HANDLER)}),
)
aws.lambda_.Permission("api", function=function.name, action="lambda:InvokeFunction", principal="*", opts=opts)
proxy = {"type": "aws_proxy", "httpMethod": "POST", "uri": "URI"}
text = json.dumps(DOCUMENT)
body = function.invoke_arn.apply(lambda uri: text.replace('"PROXY"', json.dumps({**proxy, "uri": uri})))
api = aws.apigateway.RestApi("api", body=body, opts=opts)
deployment = aws.apigateway.Deployment("api", rest_api=api.id, opts=opts)
stage = aws.apigateway.Stage("api", rest_api=api.id, deployment=deployment.id, stage_name="live", opts=opts)
pulumi.export("api", api.id)
"""
HANDLER = (
    "import json\ndef handle(event, _):\n    return {'statusCode': 200, 'body': json.dumps(event['pathParameters'])}\n"
)


def _document(**extra: Any) -> dict[str, Any]:
    return {
        "openapi": "3.0.1",
        "info": {"title": "echo", "version": "1"},
        "paths": {
            "/things/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": True}],
                "get": {"responses": {"200": {"description": "the thing"}}, "x-amazon-apigateway-integration": "PROXY"},
            },
        },
        **extra,
    }


def _write(programs: Programs, document: dict[str, Any], handler: str = HANDLER) -> None:
    programs.write(PROGRAM.replace("DOCUMENT", repr(document)).replace("HANDLER", repr(handler)))


def _get(programs: Programs, api: str, path: str, **options: Any) -> httpx.Response:
    url = f"{programs.endpoint}/_aws/execute-api/{api}/live{path}"
    return httpx.request(options.pop("method", "GET"), url, timeout=60, trust_env=False, **options)


def test_a_path_with_a_parameter_reaches_the_function(programs: Programs) -> None:
    _write(programs, _document())
    api = programs.deploy().outputs["primary"]["api"]

    answer = _get(programs, api, "/things/7")

    assert (answer.status_code, answer.json()) == (200, {"id": "7"})
    assert _get(programs, api, "/nothing").status_code in (403, 404)


def test_changed_code_and_a_changed_document_take_effect_in_place(programs: Programs) -> None:
    _write(programs, _document())
    api = programs.deploy().outputs["primary"]["api"]
    document = _document()
    document["paths"]["/others/{id}"] = document["paths"].pop("/things/{id}")
    _write(programs, document, HANDLER.replace("200", "202"))

    second = programs.deploy()

    assert [urn.split("::")[2] for urn in sorted(second.changes.updated)] == [
        "aws:apigateway/restApi:RestApi",
        "aws:lambda/function:Function",
    ]
    assert _get(programs, api, "/others/7").status_code == 202
    assert _get(programs, api, "/things/7").status_code in (403, 404)


def test_a_body_is_checked_against_its_model_and_a_missing_key_is_refused(programs: Programs) -> None:
    document = _document(
        components={
            "schemas": {
                "Amount": {"type": "integer", "minimum": 1},
                "Payment": {
                    "type": "object",
                    "required": ["amount"],
                    "properties": {"amount": {"$ref": "#/components/schemas/Amount"}},
                },
            },
            "securitySchemes": {"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}},
        },
    )
    document["x-amazon-apigateway-request-validators"] = {
        "body": {"validateRequestBody": True, "validateRequestParameters": False}
    }
    document["x-amazon-apigateway-gateway-responses"] = {
        "BAD_REQUEST_BODY": {"statusCode": 422, "responseTemplates": {"application/json": '{"wrong": "body"}'}}
    }
    integration = {"responses": {"201": {"description": "made"}}, "x-amazon-apigateway-integration": {"type": "mock"}}
    document["paths"]["/payments"] = {
        "post": {
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Payment"}}}},
            "x-amazon-apigateway-request-validator": "body",
            **integration,
        }
    }
    document["paths"]["/locked"] = {"get": {"security": [{"key": []}], **integration}}
    _write(programs, document)
    api = programs.deploy().outputs["primary"]["api"]

    good = _get(programs, api, "/payments", method="POST", json={"amount": 3})
    bad = _get(programs, api, "/payments", method="POST", json={"amount": 0})

    assert good.status_code == 200
    assert (bad.status_code, bad.json()) == (422, {"wrong": "body"})
    assert _get(programs, api, "/locked").status_code == 403


def test_the_documents_own_settings_reach_the_api(programs: Programs, client: Client) -> None:
    document = _document()
    document["x-amazon-apigateway-binary-media-types"] = ["image/png"]
    document["x-amazon-apigateway-policy"] = {"Version": "2012-10-17", "Statement": []}
    _write(programs, document)

    api = programs.deploy().outputs["primary"]["api"]

    settings = client("apigateway").get_rest_api(restApiId=api)
    assert settings["binaryMediaTypes"] == ["image/png"]
    assert "2012-10-17" in settings["policy"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x-amazon-apigateway-importexport-version": "1"}, "the document: x-amazon-apigateway-importexport-version"),
        ({"components": {"securitySchemes": {"who": {"type": "oauth2"}}}}, "security scheme who is neither"),
        ({"paths": {"/a": {"get": {"responses": {}}}}}, "GET /a has no x-amazon-apigateway-integration"),
    ],
)
def test_what_is_not_understood_is_refused(programs: Programs, change: dict[str, Any], message: str) -> None:
    _write(programs, json.loads(json.dumps(_document(**change))))

    with pytest.raises(DeployError, match=message):
        programs.deploy()
