"""The OpenAPI document of the API, from the one that describes the function, with what API Gateway needs to run it."""

import copy
import json
from typing import Any

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
VALIDATOR = "body-and-parameters"


def document(described: dict[str, Any], *, title: str, invoke_arn: str) -> str:
    """`described` with a proxy integration to `invoke_arn` on every operation, as JSON that is the same every time."""
    api = copy.deepcopy(described)
    api["info"]["title"] = title
    api["x-amazon-apigateway-request-validators"] = {
        VALIDATOR: {"validateRequestBody": True, "validateRequestParameters": True}
    }
    api["x-amazon-apigateway-request-validator"] = VALIDATOR
    for path in api["paths"].values():
        for method in METHODS:
            if operation := path.get(method):
                operation["x-amazon-apigateway-integration"] = {
                    "type": "aws_proxy",
                    # Lambda is always invoked by POST, whatever the client's method is.
                    "httpMethod": "POST",
                    "uri": invoke_arn,
                    "passthroughBehavior": "when_no_match",
                }
    return json.dumps(api, sort_keys=True)
