"""The role by which API Gateway writes logs: one per account and region, whoever has APIs there."""

import pulumi
import pulumi_aws as aws

from components import policies

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
            assume_role_policy=policies.trust("apigateway.amazonaws.com"),
            opts=child,
        )
        attachment = aws.iam.RolePolicyAttachment(f"{name}-logs", role=role.name, policy_arn=_PUSH_TO_LOGS, opts=child)
        self.account = aws.apigateway.Account(
            f"{name}-account",
            cloudwatch_role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[attachment]),
        )
        self.register_outputs({})
