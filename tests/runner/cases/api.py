"""A REST API from an OpenAPI document."""

from tests.runner.cases import Case, Reading

PROGRAM = """
trust = {"Version": "2012-10-17", "Statement": []}
role = aws.iam.Role("logs", assume_role_policy=json.dumps(trust), opts=opts)
body = {
    "openapi": "3.0.1",
    "info": {"title": "payments", "version": "1"},
    "paths": {
        "/health": {"get": {
            "responses": {"200": {"description": "healthy"}},
            "x-amazon-apigateway-integration": {
                "type": "mock",
                "requestTemplates": {"application/json": json.dumps({"statusCode": 200})},
                "responses": {"default": {
                    "statusCode": "200", "responseTemplates": {"application/json": json.dumps({"status": "up"})},
                }},
            },
        }},
        "/payments/{id}": {"parameters": [{"name": "id", "in": "path", "required": True}], "get": {
            "responses": {"200": {"description": "a payment"}},
            "x-amazon-apigateway-integration": {"type": "mock"},
        }},
    },
}
api = aws.apigateway.RestApi(
    "payments", name="runner-payments", body=json.dumps(body), endpoint_configuration={"types": "REGIONAL"},
    minimum_compression_size="1024", opts=opts,
)
policy = aws.apigateway.RestApiPolicy(
    "payments", rest_api_id=api.id, policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}
    ]}), opts=opts,
)
deployment = aws.apigateway.Deployment(
    "payments", rest_api=api.id, description="first", triggers={"body": "1"},
    opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[policy])),
)
account = aws.apigateway.Account("account", cloudwatch_role_arn=role.arn, opts=opts)
group = aws.cloudwatch.LogGroup("access", opts=opts)
stage = aws.apigateway.Stage(
    "live", rest_api=api.id, deployment=deployment.id, stage_name="live", variables={"word": "yes"},
    access_log_settings={"destination_arn": group.arn, "format": "$context.requestId"}, opts=opts,
)
settings = aws.apigateway.MethodSettings(
    "limits", rest_api=api.id, stage_name=stage.stage_name, method_path="*/*",
    opts=opts, settings={
        "metrics_enabled": True, "logging_level": "INFO", "throttling_rate_limit": 200, "throttling_burst_limit": -1,
    },
)
for name, value in {"api": api.id, "role": role.arn, "url": stage.invoke_url, "deployment": deployment.id}.items():
    pulumi.export(name, value)
"""

CASE = Case(
    PROGRAM,
    {
        "aws:apigateway/restApi:RestApi": Reading(
            lambda aws, out: {
                **aws("apigateway").get_rest_api(restApiId=out["api"]),
                "Paths": sorted(
                    item["path"] for item in aws("apigateway").get_resources(restApiId=out["api"])["items"]
                ),
            },
            {
                "name": "runner-payments",
                "minimumCompressionSize": 1024,
                "Paths": ["/", "/health", "/payments", "/payments/{id}"],
            },
        ),
        "aws:apigateway/restApiPolicy:RestApiPolicy": Reading(
            lambda aws, out: {"Allows": "Allow" in aws("apigateway").get_rest_api(restApiId=out["api"])["policy"]},
            {"Allows": True},
        ),
        "aws:apigateway/deployment:Deployment": Reading(
            lambda aws, out: aws("apigateway").get_deployment(restApiId=out["api"], deploymentId=out["deployment"]),
            {"description": "first"},
        ),
        "aws:apigateway/stage:Stage": Reading(
            lambda aws, out: {
                **(found := aws("apigateway").get_stage(restApiId=out["api"], stageName="live")),
                "Logs": found["accessLogSettings"]["format"],
                "Url": out["url"] == f"https://{out['api']}.execute-api.us-east-1.amazonaws.com/live",
            },
            {"variables": {"word": "yes"}, "Logs": "$context.requestId", "Url": True},
        ),
        "aws:apigateway/methodSettings:MethodSettings": Reading(
            lambda aws, out: aws("apigateway").get_stage(restApiId=out["api"], stageName="live")["methodSettings"][
                "*/*"
            ],
            {"metricsEnabled": True, "loggingLevel": "INFO", "throttlingRateLimit": 200.0},
        ),
        "aws:apigateway/account:Account": Reading(
            lambda aws, out: (
                {"Same": True} if aws("apigateway").get_account()["cloudwatchRoleArn"] == out["role"] else None
            ),
            {"Same": True},
        ),
    },
    edits=(
        ('variables={"word": "yes"}', 'variables={"other": "no"}'),
        ('"throttling_rate_limit": 200', '"throttling_rate_limit": 100'),
        ('"$context.requestId"', '"$context.status"'),
        ('"/payments/{id}": {', '"/refunds/{id}": {'),
    ),
    changed={
        "aws:apigateway/stage:Stage": {"variables": {"other": "no"}, "Logs": "$context.status"},
        "aws:apigateway/methodSettings:MethodSettings": {"throttlingRateLimit": 100.0},
        "aws:apigateway/restApi:RestApi": {"Paths": ["/", "/health", "/refunds", "/refunds/{id}"]},
    },
)
