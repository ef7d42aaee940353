"""The `recovery` Lambda function: environment variables and IAM permissions."""

from collections.abc import Mapping

import pulumi

from components import iam
from components.compute.function import Function
from components.database.global_database import DATABASE
from components.workload import access
from components.workload.context import Cell
from components.workload.ledger import TIMEOUT as LEDGER_TIMEOUT
from components.workload.sentinel import execution_arns
from shared.places import Place

TIMEOUT = LEDGER_TIMEOUT + 30  # it waits for a ledger, in the other region if need be
_LEDGER, _PAYMENTS = "ledger", "payments"


def recovery_function(cell: Cell, *, opts: pulumi.ResourceOptions) -> Function:
    """The steps of the state machines: fence, move the writer, publish, prove, measure, tell (docs/architecture.md)."""
    members = [access.cluster_arn(cell, place) for place in Place]
    return cell.function(
        "recovery",
        description="The steps of failover and failback",
        environment=environment(cell),
        statements=[
            *proof(cell),
            iam.allow(
                ["rds:FailoverGlobalCluster", "rds:SwitchoverGlobalCluster"], [_global_cluster_arn(cell), *members]
            ),
            iam.allow(["states:DescribeExecution"], [execution_arns(cell, each) for each in ("failover", "failback")]),
            iam.allow(["lambda:InvokeFunction"], [cell.function_arn(_LEDGER, cell.place.other)]),
            # The reader's lag. CloudWatch knows no resource here (Service Authorization Reference, Amazon CloudWatch).
            iam.allow(["cloudwatch:GetMetricStatistics"], ["*"]),
        ],
        timeout=TIMEOUT,
        opts=opts,
    )


def environment(cell: Cell) -> Mapping[str, pulumi.Input[str]]:
    """What every function made from `functions/recovery` is told."""
    names = cell.names
    return {
        **cell.control,
        "PEER_WITNESS_NAME": cell.peers_witness,
        "ENDPOINTS_PREFIX": names.endpoints,
        "GLOBAL_CLUSTER": names.global_cluster,
        "DATABASE_NAME": DATABASE,
        "DATABASE_SECRET": names.database_secret,
        "WRITER_PARAMETER": names.writer_parameter,
        "TOPIC_ARN": cell.topic_arn,
        "PAYMENTS_FUNCTION": cell.function_name(_PAYMENTS),
        "LEDGER_FUNCTION": cell.function_name(_LEDGER),
        "PEER_LEDGER_FUNCTION": cell.function_name(_LEDGER, cell.place.other),
        "REPLAY_TIMEOUT_SECONDS": str(LEDGER_TIMEOUT),
    }


def proof(cell: Cell) -> list[access.Statement]:
    """Seeing where the writer is, saying so, having the journal replayed here, and proving a payment."""
    return [
        *access.journal(cell),
        iam.allow(["rds:DescribeGlobalClusters"], [_global_cluster_arn(cell)]),
        iam.allow(["rds:DescribeDBClusters"], [access.cluster_arn(cell, place) for place in Place]),
        *access.database(cell, ["rds-data:ExecuteStatement"], places=list(Place)),
        access.parameters(cell, ["ssm:GetParameters"], *access.door_parameters(cell)),
        access.parameters(cell, ["ssm:GetParameter", "ssm:PutParameter"], cell.names.writer_parameter),
        iam.allow(["lambda:InvokeFunction"], [cell.function_arn(_PAYMENTS), cell.function_arn(_LEDGER)]),
        iam.allow(["sns:Publish"], [cell.topic_arn]),
    ]


def _global_cluster_arn(cell: Cell) -> pulumi.Output[str]:
    """A global cluster belongs to no region (Service Authorization Reference, Amazon RDS)."""
    return pulumi.Output.concat("arn:aws:rds::", cell.account, f":global-cluster:{cell.names.global_cluster}")
