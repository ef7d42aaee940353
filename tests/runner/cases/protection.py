"""A web ACL in front of an API stage, with its log."""

from tests.runner.cases import Case, Reading

PROGRAM = """
document = {"openapi": "3.0.1", "info": {"title": "waf", "version": "1"}, "paths": {"/a": {"get": {
    "responses": {"200": {"description": "a"}}, "x-amazon-apigateway-integration": {"type": "mock"}}}}}
api = aws.apigateway.RestApi("api", body=json.dumps(document), opts=opts)
deployment = aws.apigateway.Deployment("api", rest_api=api.id, opts=opts)
stage = aws.apigateway.Stage("api", rest_api=api.id, deployment=deployment.id, stage_name="live", opts=opts)
def shown(name):
    return {"cloudwatch_metrics_enabled": True, "metric_name": name, "sampled_requests_enabled": False}
plain = [{"priority": 0, "type": "NONE"}]
acl = aws.wafv2.WebAcl(
    "acl", name="runner-acl", scope="REGIONAL", default_action={"allow": {}}, visibility_config=shown("acl"), opts=opts,
    rules=[
        {
            "name": "rate", "priority": 0, "action": {"block": {"custom_response": {"response_code": 429}}},
            "visibility_config": shown("rate"),
            "statement": {"rate_based_statement": {
                "limit": 400, "evaluation_window_sec": 300, "aggregate_key_type": "CUSTOM_KEYS",
                "custom_keys": [{"header": {"name": "x-api-key", "text_transformations": plain}}],
            }},
        },
        {
            "name": "health", "priority": 1, "action": {"allow": {}}, "visibility_config": shown("health"),
            "statement": {"and_statement": {"statements": [
                {"byte_match_statement": {
                    "field_to_match": {"method": {}}, "positional_constraint": "EXACTLY", "search_string": "GET",
                    "text_transformations": plain,
                }},
                {"regex_match_statement": {
                    "field_to_match": {"uri_path": {}}, "regex_string": "^(/health)$", "text_transformations": plain,
                }},
            ]}},
        },
        {
            "name": "common", "priority": 2, "override_action": {"none": {}}, "visibility_config": shown("common"),
            "statement": {"managed_rule_group_statement": {
                "vendor_name": "AWS", "name": "AWSManagedRulesCommonRuleSet",
            }},
        },
    ],
)
protected = aws.wafv2.WebAclAssociation("stage", resource_arn=stage.arn, web_acl_arn=acl.arn, opts=opts)
group = aws.cloudwatch.LogGroup("acl", name="aws-waf-logs-runner", opts=opts)
logs = aws.wafv2.WebAclLoggingConfiguration(
    "acl", resource_arn=acl.arn, log_destination_configs=[group.arn],
    redacted_fields=[{"single_header": {"name": "authorization"}}], opts=opts,
    logging_filter={"default_behavior": "DROP", "filters": [{
        "behavior": "KEEP", "requirement": "MEETS_ANY",
        "conditions": [{"action_condition": {"action": "BLOCK"}}],
    }]},
)
for name, value in {"id": acl.id, "arn": acl.arn, "stage": stage.arn, "group": group.arn}.items():
    pulumi.export(name, value)
"""

CASE = Case(
    PROGRAM,
    {
        "aws:wafv2/webAcl:WebAcl": Reading(
            lambda aws, out: {
                **(found := aws("wafv2").get_web_acl(Name="runner-acl", Scope="REGIONAL", Id=out["id"])["WebACL"]),
                "Window": found["Rules"][0]["Statement"]["RateBasedStatement"]["EvaluationWindowSec"],
                "Status": found["Rules"][0]["Action"]["Block"]["CustomResponse"]["ResponseCode"],
                "Method": found["Rules"][1]["Statement"]["AndStatement"]["Statements"][0]["ByteMatchStatement"][
                    "SearchString"
                ],
                "Names": [rule["Name"] for rule in found["Rules"]],
                "Limit": found["Rules"][0]["Statement"]["RateBasedStatement"]["Limit"],
            },
            {
                "DefaultAction": {"Allow": {}},
                "Window": 300,
                "Status": 429,
                "Method": b"GET",
                "Names": ["rate", "health", "common"],
                "Limit": 400,
            },
        ),
        "aws:wafv2/webAclAssociation:WebAclAssociation": Reading(
            lambda aws, out: aws("wafv2").get_web_acl_for_resource(ResourceArn=out["stage"])["WebACL"],
            {"Name": "runner-acl"},
        ),
        "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": Reading(
            lambda aws, out: {
                **(found := aws("wafv2").get_logging_configuration(ResourceArn=out["arn"])["LoggingConfiguration"]),
                "Same": found["LogDestinationConfigs"] == [out["group"]],
                "Kept": found["LoggingFilter"]["Filters"][0]["Conditions"],
            },
            {
                "RedactedFields": [{"SingleHeader": {"Name": "authorization"}}],
                "Kept": [{"ActionCondition": {"Action": "BLOCK"}}],
                "Same": True,
            },
        ),
    },
    edits=(('"limit": 400', '"limit": 500'), ('"action": "BLOCK"', '"action": "COUNT"')),
    changed={
        "aws:wafv2/webAcl:WebAcl": {"Limit": 500, "Names": ["rate", "health", "common"]},
        "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": {
            "Kept": [{"ActionCondition": {"Action": "COUNT"}}]
        },
    },
)
