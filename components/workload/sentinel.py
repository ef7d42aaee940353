"""The `sentinel` Lambda function: environment variables and IAM permissions. The global stack has it called every
minute, once both regions are known (`components.region.links`)."""

import pulumi

from components import iam
from components.compute.function import Function
from components.compute.state_machine import StateMachine
from components.workload import access
from components.workload.context import Cell

TIMEOUT = 75
"""Seconds: a run of 55, and longer than the minute by a probe's interval, so that no gap opens between two runs."""


def sentinel_function(
    cell: Cell, *, failover: StateMachine, failback: StateMachine, opts: pulumi.ResourceOptions
) -> Function:
    """Watches the other region, and starts the failover when it is lost (docs/architecture.md)."""
    return cell.function(
        "sentinel",
        description="Watches the other region and starts the failover",
        environment={
            **cell.control,
            "PEER_WITNESS_NAME": cell.peers_witness,
            "ENDPOINTS_PREFIX": cell.names.endpoints,
            "FAILOVER_ARN": failover.arn,
            "FAILBACK_ARN": failback.arn,
        },
        statements=[
            *access.journal(cell),
            access.parameters(cell, ["ssm:GetParameters"], *access.door_parameters(cell)),
            iam.allow(["states:ListExecutions"], [failover.arn, failback.arn]),
            iam.allow(["states:StartExecution"], [failover.arn]),
            iam.allow(["states:DescribeExecution"], [execution_arns(cell, "failover")]),
        ],
        timeout=TIMEOUT,
        opts=opts,
    )


def execution_arns(cell: Cell, machine: str) -> pulumi.Output[str]:
    """All runs of one of this region's state machines."""
    return cell.arn("states", f"execution:{cell.names.regional(machine, cell.place)}:*")
