"""VPC flow logs to CloudWatch Logs."""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import iam

# Seconds; the longer of the two choices, for fewer records (API EC2.CreateFlowLogs.MaxAggregationInterval).
AGGREGATION = 600


@dataclass(frozen=True, kw_only=True)
class FlowLogsArgs:
    name: str  # of the VPC
    role_name: str
    region: str
    account: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    retention_days: int


class FlowLogs(pulumi.ComponentResource):
    """Flow logs to a log group. A TCP listener's NLB writes no access logs [NLB-3], so this is where its
    connections are found."""

    log_group: pulumi.Output[str]

    def __init__(self, name: str, args: FlowLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:flow_logs:FlowLogs", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=f"/aws/vpc/flow-logs/{args.name}",
            retention_in_days=args.retention_days,
            kms_key_id=args.key_arn,
            opts=child,
        )
        here = pulumi.Output.concat(f"{args.region}:", args.account)
        role, policy = iam.service_role(
            name,
            name=args.role_name,
            trust=iam.trust_for(
                "vpc-flow-logs.amazonaws.com",
                account=args.account,
                source=pulumi.Output.concat("arn:aws:ec2:", here, ":vpc-flow-log/*"),
            ),
            statements=lambda _: _statements(logs.arn, here),
            opts=child,
        )
        aws.ec2.FlowLog(
            f"{name}-flows",
            vpc_id=args.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=logs.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=AGGREGATION,
            tags={"Name": args.name},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.log_group = logs.name
        self.register_outputs({"log_group": self.log_group})


def _statements(log_group_arn: pulumi.Output[str], here: pulumi.Output[str]) -> list[dict[str, Any]]:
    """Permissions that flow logs need [VPC-8] on this log group, without the creation of groups, since it exists."""
    return [
        iam.allow(
            ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [pulumi.Output.concat(log_group_arn, ":*")],
        ),
        # A listing, which cannot be narrowed to the one group.
        iam.allow(["logs:DescribeLogGroups"], [pulumi.Output.concat("arn:aws:logs:", here, ":log-group:*")]),
    ]
