"""A Step Functions state machine with a role and a log group of its own, traced, encrypted with the region's key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import iam


@dataclass(frozen=True, kw_only=True)
class StateMachineArgs:
    name: str
    region: str
    account: pulumi.Input[str]
    define: Callable[[Mapping[str, str]], str]
    """From the functions' ARNs, by the names they have in `functions`, to the definition."""
    functions: Mapping[str, pulumi.Input[str]]  # all that it may call
    key_arn: pulumi.Input[str]
    log_retention_days: int


class StateMachine(pulumi.ComponentResource):
    """It may invoke the given functions and nothing else. Permission to start it is granted where the starter is
    created."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]

    def __init__(self, name: str, args: StateMachineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:state_machine:StateMachine", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            # With this prefix many groups share one line of CloudWatch Logs' resource policy, whose size is limited
            # [SFN-2].
            name=f"/aws/vendedlogs/states/{args.name}",
            retention_in_days=args.log_retention_days,
            kms_key_id=args.key_arn,
            opts=child,
        )
        role, policy = iam.service_role(
            name,
            name=args.name,
            # For this account and its state machines only [SFN-4].
            trust=iam.trust_for(
                "states.amazonaws.com",
                account=args.account,
                source=pulumi.Output.concat(f"arn:aws:states:{args.region}:", args.account, ":stateMachine:*"),
            ),
            statements=lambda _: _statements(args),
            opts=child,
        )
        machine = aws.sfn.StateMachine(
            f"{name}-machine",
            name=args.name,
            type="STANDARD",  # runs of up to a year, each exactly once; an express one ends after five minutes
            role_arn=role.arn,
            definition=pulumi.Output.all(**args.functions).apply(args.define),
            logging_configuration={
                "level": "ALL",
                # The approval's token would be in it. The execution's own history has all of it.
                "include_execution_data": False,
                "log_destination": pulumi.Output.concat(logs.arn, ":*"),
            },
            tracing_configuration={"enabled": True},
            encryption_configuration={
                "type": "CUSTOMER_MANAGED_KMS_KEY",
                "kms_key_id": args.key_arn,
                "kms_data_key_reuse_period_seconds": 300,
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[logs, policy]),
        )
        self.arn, self.name = machine.arn, machine.name
        self.register_outputs({"arn": self.arn, "name": self.name})


def _statements(args: StateMachineArgs) -> list[dict[str, Any]]:
    return [
        iam.allow(["lambda:InvokeFunction"], [args.functions[each] for each in sorted(args.functions)]),
        iam.allow(["kms:Decrypt", "kms:GenerateDataKey"], [args.key_arn]),
        # Delivery of logs and X-Ray's write actions support no resource-level permissions [SFN-2] (Service
        # Authorization Reference, AWS X-Ray).
        iam.allow(
            [
                "logs:CreateLogDelivery",
                "logs:GetLogDelivery",
                "logs:UpdateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:ListLogDeliveries",
                "logs:PutResourcePolicy",
                "logs:DescribeResourcePolicies",
                "logs:DescribeLogGroups",
            ],
            ["*"],
        ),
        iam.allow(
            [
                "xray:PutTraceSegments",
                "xray:PutTelemetryRecords",
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
            ],
            ["*"],
        ),
    ]
