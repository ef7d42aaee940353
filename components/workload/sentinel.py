"""The `sentinel` Lambda function: environment variables and IAM permissions. The global stack schedules it every
minute, once both regions exist (`components.global_stack.links`)."""

import pulumi

from components import iam
from components.compute.function import Function
from components.compute.state_machine import StateMachine
from components.workload import access
from components.workload.context import FunctionContext

TIMEOUT = 75
"""Seconds: a run of 55, and longer than the minute by a probe's interval, so that no gap opens between two runs."""


def sentinel_function(
    context: FunctionContext, *, failover: StateMachine, failback: StateMachine, opts: pulumi.ResourceOptions
) -> Function:
    """Watches the other region, starts the failover when it is lost, and returns it to service when it is well again
    (docs/architecture.md)."""
    return context.function(
        "sentinel",
        description="Watches the other region and starts the failover",
        environment={
            **context.control,
            "PEER_WITNESS_NAME": context.peer_witness,
            "ENDPOINTS_PREFIX": context.names.endpoints,
            "FAILOVER_ARN": failover.arn,
            "FAILBACK_ARN": failback.arn,
            "RETURN_SECONDS": str(context.settings.return_minutes * 60),
        },
        statements=[
            *access.journal(context),
            access.parameters(context, ["ssm:GetParameters"], *access.endpoint_parameters(context)),
            iam.allow(["states:ListExecutions"], [failover.arn, failback.arn]),
            iam.allow(["states:StartExecution"], [failover.arn, failback.arn]),
            iam.allow(["states:DescribeExecution"], [execution_arns(context, "failover")]),
        ],
        timeout=TIMEOUT,
        opts=opts,
    )


def execution_arns(context: FunctionContext, machine: str) -> pulumi.Output[str]:
    """All runs of one of this region's state machines."""
    return context.arn("states", f"execution:{context.names.regional(machine, context.place)}:*")
