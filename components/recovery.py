"""The `recovery` function of a region: what it is told, and what it may do."""

import pulumi

from components import cell_access, policies
from components.cell import Cell
from components.database import DATABASE
from components.function import Function
from components.ledger import TIMEOUT as LEDGER_TIMEOUT
from components.sentinel import execution_arns
from shared.places import Place

TIMEOUT = LEDGER_TIMEOUT + 30  # it waits for a ledger, in the other region if need be


def recovery_function(cell: Cell, *, opts: pulumi.ResourceOptions) -> Function:
    """The steps of the state machines: fence, move the writer, publish, prove, measure, tell (design §3)."""
    names, ledger = cell.names, "ledger"
    return cell.function(
        "recovery",
        description="The steps of failover and failback",
        environment={
            **cell.control,
            "PEER_WITNESS_NAME": cell.peers_witness,
            "DOORS_PREFIX": names.doors,
            "GLOBAL_CLUSTER": names.global_cluster,
            "DATABASE_NAME": DATABASE,
            "DATABASE_SECRET": names.database_secret,
            "WRITER_PARAMETER": names.writer_parameter,
            "TOPIC_ARN": cell.topic_arn,
            "PAYMENTS_FUNCTION": cell.function_name("payments"),
            "LEDGER_FUNCTION": cell.function_name(ledger),
            "PEER_LEDGER_FUNCTION": cell.function_name(ledger, cell.place.other),
            "REPLAY_TIMEOUT_SECONDS": str(LEDGER_TIMEOUT),
        },
        statements=[
            *cell_access.journal(cell),
            *_database(cell),
            cell_access.parameters(cell, ["ssm:GetParameters"], *cell_access.door_parameters(cell)),
            cell_access.parameters(cell, ["ssm:GetParameter", "ssm:PutParameter"], names.writer_parameter),
            policies.allow(
                ["states:DescribeExecution"], [execution_arns(cell, each) for each in ("failover", "failback")]
            ),
            policies.allow(
                ["lambda:InvokeFunction"],
                [
                    cell.function_arn("payments"),
                    cell.function_arn(ledger),
                    cell.function_arn(ledger, cell.place.other),
                ],
            ),
            policies.allow(["sns:Publish"], [cell.topic_arn]),
            # The reader's lag. CloudWatch knows no resource here (Service Authorization Reference, Amazon CloudWatch).
            policies.allow(["cloudwatch:GetMetricStatistics"], ["*"]),
        ],
        timeout=TIMEOUT,
        opts=opts,
    )


def _database(cell: Cell) -> list[cell_access.Statement]:
    members = [cell_access.cluster_arn(cell, place) for place in Place]
    # A global cluster belongs to no region (Service Authorization Reference, Amazon RDS).
    whole = pulumi.Output.concat("arn:aws:rds::", cell.account, f":global-cluster:{cell.names.global_cluster}")
    return [
        policies.allow(["rds:DescribeGlobalClusters"], [whole]),
        policies.allow(["rds:DescribeDBClusters"], members),
        policies.allow(["rds:FailoverGlobalCluster", "rds:SwitchoverGlobalCluster"], [whole, *members]),
        *cell_access.database(cell, ["rds-data:ExecuteStatement"], places=list(Place)),
    ]
