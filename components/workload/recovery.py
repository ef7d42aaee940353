"""The `recovery` Lambda function: environment variables and IAM permissions. Also the functions of the Region switch
plan (`components.failover.region_switch`), one per Lambda step, from the same source, since ARC passes a function
nothing that identifies the step (`functions/recovery/region_switch.py`)."""

from collections.abc import Mapping

import pulumi

from components import iam
from components.compute.function import Function
from components.workload import access
from components.workload.context import FunctionContext
from components.workload.ledger import TIMEOUT as LEDGER_TIMEOUT
from components.workload.sentinel import execution_arns
from shared.places import Place

TIMEOUT = LEDGER_TIMEOUT + 30  # it waits for a ledger, in the other region if need be
_LEDGER, _PAYMENTS = "ledger", "payments"


def recovery_function(context: FunctionContext, *, opts: pulumi.ResourceOptions) -> Function:
    """The steps of the state machines, from fencing to the notification (docs/architecture.md)."""
    members = [access.cluster_arn(context, place) for place in Place]
    return context.function(
        "recovery",
        description="The steps of failover and failback",
        environment=environment(context),
        statements=[
            *proof(context),
            iam.allow(
                ["rds:FailoverGlobalCluster", "rds:SwitchoverGlobalCluster"], [_global_cluster_arn(context), *members]
            ),
            iam.allow(
                ["states:DescribeExecution"], [execution_arns(context, each) for each in ("failover", "failback")]
            ),
            iam.allow(["lambda:InvokeFunction"], [context.function_arn(_LEDGER, context.place.other)]),
            iam.allow(["dynamodb:Query"], access.backlog_tables(context)),
        ],
        timeout=TIMEOUT,
        opts=opts,
    )


def environment(context: FunctionContext) -> Mapping[str, pulumi.Input[str]]:
    """Environment variables of every function made from `functions/recovery`."""
    names = context.names
    return {
        **context.control,
        "PEER_WITNESS_NAME": context.peer_witness,
        "ENDPOINTS_PREFIX": names.endpoints,
        "GLOBAL_CLUSTER": names.global_cluster,
        **access.database_environment(context),
        "PEER_CLUSTER_ARN": access.cluster_arn(context, context.place.other),
        "WRITER_PARAMETER": names.writer_parameter,
        "TOPIC_ARN": context.topic_arn,
        "PAYMENTS_FUNCTION": context.function_name(_PAYMENTS),
        "LEDGER_FUNCTION": context.function_name(_LEDGER),
        "PEER_LEDGER_FUNCTION": context.function_name(_LEDGER, context.place.other),
        "BACKLOG_TABLE": names.backlog_table(context.place),
        "PEER_BACKLOG_TABLE": names.backlog_table(context.place.other),
        "REPLAY_TIMEOUT_SECONDS": str(LEDGER_TIMEOUT),
    }


def proof(context: FunctionContext) -> list[access.Statement]:
    """Permissions to find and publish the writer, to replay the backlogs here, and to verify a payment."""
    return [
        *access.journal(context),
        iam.allow(["rds:DescribeGlobalClusters"], [_global_cluster_arn(context)]),
        iam.allow(["rds:DescribeDBClusters"], [access.cluster_arn(context, place) for place in Place]),
        *access.database(context, ["rds-data:ExecuteStatement"], places=list(Place)),
        access.parameters(context, ["ssm:GetParameters"], *access.endpoint_parameters(context)),
        access.parameters(context, ["ssm:GetParameter", "ssm:PutParameter"], context.names.writer_parameter),
        iam.allow(["lambda:InvokeFunction"], [context.function_arn(_PAYMENTS), context.function_arn(_LEDGER)]),
        iam.allow(["sns:Publish"], [context.topic_arn]),
    ]


def _global_cluster_arn(context: FunctionContext) -> pulumi.Output[str]:
    """A global cluster belongs to no region (Service Authorization Reference, Amazon RDS)."""
    return pulumi.Output.concat("arn:aws:rds::", context.account, f":global-cluster:{context.names.global_cluster}")


FENCE, PROVE = "fence", "prove"
_SECONDS = {FENCE: 30, PROVE: 900}  # to prove is to wait for the writer and for the ledger; Lambda allows no more
WRITER_WAIT = 300
"""Seconds that one call waits for the writer; ARC calls again."""


def step_label(step: str) -> str:
    """The label of a step's function."""
    return f"region-switch-{step}"


def region_switch_steps(context: FunctionContext, *, opts: pulumi.ResourceOptions) -> list[Function]:
    """One function per step. The plan's role, in `components.failover.region_switch`, is allowed to invoke them."""
    statements = {FENCE: access.journal(context), PROVE: proof(context)}
    descriptions = {
        FENCE: "Step of the Region switch plan: fences the region that is left",
        PROVE: "Step of the Region switch plan: names the writer and proves a payment",
    }
    return [
        context.function(
            "recovery",
            entry="region_switch",
            label=step_label(step),
            description=descriptions[step],
            environment={
                **environment(context),
                "REGION_SWITCH_STEP": step,
                "WRITER_WAIT_SECONDS": str(WRITER_WAIT),
            },
            statements=statements[step],
            timeout=seconds,
            opts=opts,
        )
        for step, seconds in _SECONDS.items()
    ]
