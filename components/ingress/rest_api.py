"""The regional REST API: the second endpoint of the workload's function and of the health function."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import iam
from components.compute.function import Function
from components.ingress import openapi

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
    function: Function  # the workload's
    health_function: Function
    access: openapi.Access
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
        invoke_arns = pulumi.Output.all(args.function.invoke_arn, args.health_function.invoke_arn)
        body = invoke_arns.apply(
            lambda arns: openapi.document(
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
            self._permission("api", api, args.function.name, "/*/*"),
            # An execute-api ARN is <API>/<stage>/<method>/<path>.
            self._permission("health", api, args.health_function.name, "/*/GET/health"),
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


# For the role by which API Gateway writes logs: one per account and region.
_PUSH_TO_LOGS = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"


class ApiAccount(pulumi.ComponentResource):
    """API Gateway's account settings in one region. Access logs need them, and deleting them resets them for every API
    of the account there [APIGW-2]: exactly one environment of an account should own them (`api:manageAccount`)."""

    account: aws.apigateway.Account

    def __init__(self, name: str, role_name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:api_account:ApiAccount", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-role",
            name=role_name,
            assume_role_policy=iam.trust("apigateway.amazonaws.com"),
            opts=child,
        )
        attachment = aws.iam.RolePolicyAttachment(f"{name}-logs", role=role.name, policy_arn=_PUSH_TO_LOGS, opts=child)
        self.account = aws.apigateway.Account(
            f"{name}-account",
            cloudwatch_role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[attachment]),
        )
        self.register_outputs({})


@dataclass(frozen=True, kw_only=True)
class ApiDomainArgs:
    domain_name: str
    certificate_arn: pulumi.Input[str]  # issued: API Gateway refuses a pending one
    api_id: pulumi.Input[str]
    stage: pulumi.Input[str]


class ApiDomain(pulumi.ComponentResource):
    """A REGIONAL custom domain with the stage at its root. The same name may exist once in each region, which is what
    failover by name needs [APIGW-6]."""

    domain_name: str
    target_host: pulumi.Output[str]  # what an alias record of `domain_name` leads to
    target_zone_id: pulumi.Output[str]

    def __init__(self, name: str, args: ApiDomainArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:api_domain:ApiDomain", name, None, opts)
        domain = aws.apigateway.DomainName(
            f"{name}-domain",
            domain_name=args.domain_name,
            regional_certificate_arn=args.certificate_arn,
            endpoint_configuration={"types": "REGIONAL"},
            security_policy="TLS_1_2",
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.apigateway.BasePathMapping(
            f"{name}-root",
            domain_name=domain.domain_name,
            rest_api=args.api_id,
            stage_name=args.stage,
            # Two mappings of one path cannot exist side by side [APIGW-3].
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        self.domain_name = args.domain_name
        self.target_host, self.target_zone_id = domain.regional_domain_name, domain.regional_zone_id
        self.register_outputs({"target_host": self.target_host})
