"""A name of one's own for the regional API. Both regions give theirs the same name, and DNS decides who answers."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


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
