"""The regional REST API: the second door to the workload's function, and to the health function."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import api_document

STAGE = "live"
_ACCESS_LOG_FIELDS = {
    "requestId": "$context.requestId",
    "time": "$context.requestTimeEpoch",
    "method": "$context.httpMethod",
    "path": "$context.resourcePath",
    "status": "$context.status",
    "latencyMs": "$context.responseLatency",
    "integrationError": "$context.integrationErrorMessage",
    "traceId": "$context.xrayTraceId",
}


@dataclass(frozen=True, kw_only=True)
class ApiArgs:
    name: str
    described: dict[str, Any]  # the workload's, as OpenAPI 3.0 without integrations
    function_name: pulumi.Input[str]
    function_invoke_arn: pulumi.Input[str]
    health_function_name: pulumi.Input[str]
    health_function_invoke_arn: pulumi.Input[str]
    access: api_document.Access
    rate_limit: int  # requests a second; bursts may be twice that
    key_arn: pulumi.Input[str]
    log_retention_days: int
    after: Sequence[pulumi.Resource]  # what access logs need: API Gateway's account settings, where we own them


class Api(pulumi.ComponentResource):
    """A REGIONAL REST API with one stage, from one OpenAPI document."""

    id: pulumi.Output[str]
    stage: pulumi.Output[str]
    stage_arn: pulumi.Output[str]
    execution_arn: pulumi.Output[str]
    name: str
    url: pulumi.Output[str]

    def __init__(self, name: str, args: ApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:api:Api", name, None, opts)
        self._prefix, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        invoke_arns = pulumi.Output.all(args.function_invoke_arn, args.health_function_invoke_arn)
        body = invoke_arns.apply(
            lambda arns: api_document.document(
                args.described, title=args.name, invoke_arn=arns[0], health_invoke_arn=arns[1], access=args.access
            )
        )
        api = aws.apigateway.RestApi(
            f"{name}-api",
            name=args.name,
            body=body,
            endpoint_configuration={"types": "REGIONAL"},
            opts=self._child,
        )
        permissions = [
            self._permission("api", api, args.function_name, "/*/*"),
            # An execute-api ARN is <API>/<stage>/<method>/<path>.
            self._permission("health", api, args.health_function_name, "/*/GET/health"),
        ]
        stage = self._stage(api, body, permissions)
        self.id, self.stage, self.url = api.id, stage.stage_name, stage.invoke_url
        self.stage_arn, self.execution_arn, self.name = stage.arn, api.execution_arn, args.name
        self.register_outputs({"id": self.id, "url": self.url})

    def _permission(
        self, role: str, api: aws.apigateway.RestApi, function: pulumi.Input[str], operations: str
    ) -> aws.lambda_.Permission:
        return aws.lambda_.Permission(
            f"{self._prefix}-{role}",
            function=function,
            action="lambda:InvokeFunction",
            principal="apigateway.amazonaws.com",
            source_arn=pulumi.Output.concat(api.execution_arn, operations),
            opts=self._child,
        )

    def _stage(
        self, api: aws.apigateway.RestApi, body: pulumi.Output[str], permissions: Sequence[pulumi.Resource]
    ) -> aws.apigateway.Stage:
        deployment = aws.apigateway.Deployment(
            f"{self._prefix}-deployment",
            rest_api=api.id,
            # A deployment is a snapshot: a new one exactly when the document changes [APIGW-1].
            triggers={"document": body.apply(lambda text: hashlib.sha256(text.encode()).hexdigest())},
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(permissions)),
        )
        logs = aws.cloudwatch.LogGroup(
            f"{self._prefix}-access",
            name=f"/aws/apigateway/{self._args.name}",
            retention_in_days=self._args.log_retention_days,
            kms_key_id=self._args.key_arn,
            opts=self._child,
        )
        stage = aws.apigateway.Stage(
            f"{self._prefix}-stage",
            rest_api=api.id,
            deployment=deployment.id,
            stage_name=STAGE,
            access_log_settings={
                "destination_arn": logs.arn,
                "format": pulumi.Output.json_dumps(_ACCESS_LOG_FIELDS, sort_keys=True),
            },
            xray_tracing_enabled=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(self._args.after)),
        )
        aws.apigateway.MethodSettings(
            f"{self._prefix}-limits",
            rest_api=api.id,
            stage_name=stage.stage_name,
            method_path="*/*",
            settings={
                "metrics_enabled": True,
                "throttling_rate_limit": self._args.rate_limit,
                "throttling_burst_limit": 2 * self._args.rate_limit,
            },
            opts=self._child,
        )
        return stage
