"""The `sentinel` Lambda function: environment variables and IAM permissions. The global stack has it called every
minute, once both regions are known (`components.region_links`)."""

import pulumi

from components import cell_access, policies
from components.cell import Cell
from components.function import Function
from components.state_machine import StateMachine

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
            *cell_access.journal(cell),
            cell_access.parameters(cell, ["ssm:GetParameters"], *cell_access.door_parameters(cell)),
            policies.allow(["states:ListExecutions"], [failover.arn, failback.arn]),
            policies.allow(["states:StartExecution"], [failover.arn]),
            policies.allow(["states:DescribeExecution"], [execution_arns(cell, "failover")]),
        ],
        timeout=TIMEOUT,
        opts=opts,
    )


def execution_arns(cell: Cell, machine: str) -> pulumi.Output[str]:
    """All runs of one of this region's state machines."""
    return cell.arn("states", f"execution:{cell.names.regional(machine, cell.place)}:*")
