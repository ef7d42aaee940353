"""A custom domain with an issued certificate, and keys with a plan."""

from typing import Any

from tests.runner.cases import Case, Client, Reading

PROGRAM = """
zone = aws.route53.Zone("zone", name="access.example", force_destroy=True, opts=opts)
certificate = aws.acm.Certificate("api", domain_name="api.access.example", validation_method="DNS",
    subject_alternative_names=["pay.access.example"], opts=opts)
def option(host):
    return certificate.domain_validation_options.apply(lambda found: next(o for o in found if o.domain_name == host))
records = [
    aws.route53.Record(
        host, zone_id=zone.zone_id, name=option(host).resource_record_name, type=option(host).resource_record_type,
        records=[option(host).resource_record_value], ttl=300, set_identifier="primary",
        weighted_routing_policies=[{"weight": 1}], opts=opts,
    )
    for host in ("api.access.example", "pay.access.example")
]
issued = aws.acm.CertificateValidation(
    "api", certificate_arn=certificate.arn, validation_record_fqdns=[record.fqdn for record in records], opts=opts
)
document = {"openapi": "3.0.1", "info": {"title": "access", "version": "1"}, "paths": {"/a": {"get": {
    "responses": {"200": {"description": "a"}}, "x-amazon-apigateway-integration": {"type": "mock"}}}}}
api = aws.apigateway.RestApi("api", body=json.dumps(document), opts=opts)
deployment = aws.apigateway.Deployment("api", rest_api=api.id, opts=opts)
stage = aws.apigateway.Stage("api", rest_api=api.id, deployment=deployment.id, stage_name="live", opts=opts)
domain = aws.apigateway.DomainName(
    "api", domain_name="api.access.example", regional_certificate_arn=issued.certificate_arn,
    endpoint_configuration={"types": "REGIONAL"}, security_policy="TLS_1_2", opts=opts,
)
mapping = aws.apigateway.BasePathMapping(
    "api", domain_name=domain.domain_name, rest_api=api.id, stage_name=stage.stage_name, opts=opts
)
plan = aws.apigateway.UsagePlan(
    "plan", name="access", api_stages=[{"api_id": api.id, "stage": stage.stage_name}],
    throttle_settings={"rate_limit": 10, "burst_limit": 20}, quota_settings={"limit": 1000, "period": "DAY"}, opts=opts,
)
key = aws.apigateway.ApiKey("shop", name="access-shop", value="k" * 40, opts=opts)
used = aws.apigateway.UsagePlanKey("shop", usage_plan_id=plan.id, key_id=key.id, key_type="API_KEY", opts=opts)
for name, value in {
    "certificate": issued.certificate_arn, "host": domain.regional_domain_name, "zone": domain.regional_zone_id,
    "api": api.id, "plan": plan.id, "key": key.id,
}.items():
    pulumi.export(name, value)
"""


def _plan_key(aws: Client, out: dict[str, Any]) -> Any:
    return aws("apigateway").get_usage_plan_key(usagePlanId=out["plan"], keyId=out["key"])


CASE = Case(
    PROGRAM,
    {
        "aws:acm/certificateValidation:CertificateValidation": Reading(
            lambda aws, out: aws("acm").describe_certificate(CertificateArn=out["certificate"])["Certificate"],
            {
                "Status": "ISSUED",
                "DomainName": "api.access.example",
                "SubjectAlternativeNames": ["api.access.example", "pay.access.example"],
            },
        ),
        "aws:apigateway/domainName:DomainName": Reading(
            lambda aws, out: {
                **(found := aws("apigateway").get_domain_name(domainName="api.access.example")),
                "Same": (found["regionalDomainName"], found["regionalHostedZoneId"]) == (out["host"], out["zone"]),
                "Certified": found["regionalCertificateArn"] == out["certificate"],
            },
            {"regionalHostedZoneId": "Z1UJRXOUMOOFQ8", "securityPolicy": "TLS_1_2", "Same": True, "Certified": True},
        ),
        "aws:apigateway/basePathMapping:BasePathMapping": Reading(
            lambda aws, out: {
                **(
                    found := aws("apigateway").get_base_path_mapping(domainName="api.access.example", basePath="(none)")
                ),
                "Same": found["restApiId"] == out["api"],
            },
            {"stage": "live", "Same": True},
        ),
        "aws:apigateway/usagePlan:UsagePlan": Reading(
            lambda aws, out: {
                **(found := aws("apigateway").get_usage_plan(usagePlanId=out["plan"])),
                "Stages": found["apiStages"] == [{"apiId": out["api"], "stage": "live"}],
            },
            {
                "throttle": {"rateLimit": 10.0, "burstLimit": 20},
                "quota": {"limit": 1000, "period": "DAY"},
                "Stages": True,
            },
        ),
        "aws:apigateway/apiKey:ApiKey": Reading(
            lambda aws, out: aws("apigateway").get_api_key(apiKey=out["key"], includeValue=True),
            {"name": "access-shop", "value": "k" * 40, "enabled": True},
        ),
        "aws:apigateway/usagePlanKey:UsagePlanKey": Reading(_plan_key, {"type": "API_KEY", "name": "access-shop"}),
    },
    edits=(('"rate_limit": 10', '"rate_limit": 30'), ('name="access-shop"', 'name="access-store"')),
    changed={
        "aws:apigateway/usagePlan:UsagePlan": {
            "throttle": {"rateLimit": 30.0, "burstLimit": 20},
            "quota": {"limit": 1000, "period": "DAY"},
        },
        "aws:apigateway/apiKey:ApiKey": {"name": "access-store", "value": "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"},
    },
)
