"""The `ledger` Lambda function: environment variables and IAM permissions. Its event source mapping belongs to the
global stack, which owns the journal table (`components.region.links`)."""

import pulumi

from components import iam
from components.compute.function import Function
from components.database.global_database import DATABASE
from components.workload import access
from components.workload.context import Cell
from shared.places import Place

TIMEOUT = 300
"""Seconds. A replay walks as much of the journal as fits, and goes on where it ended."""


def ledger_function(cell: Cell, *, opts: pulumi.ResourceOptions) -> Function:
    """Posts the journal's payments to the database while its region may (decision 0006)."""
    names = cell.names
    return cell.function(
        "ledger",
        description="Posts payments to the database in the writer's region, and announces them",
        environment={
            **cell.control,
            "CLUSTER_ARN": access.cluster_arn(cell, cell.place),
            "DATABASE_SECRET": names.database_secret,
            "DATABASE_NAME": DATABASE,
            "DATABASE_ENGINE": cell.settings.engine,
            "EVENT_BUS": names.bus,
            # No private way leads to the endpoint's own host: without NAT, events go to the bus (decision 0002).
            **({"EVENT_ENDPOINT_PARAMETER": names.event_endpoint_parameter} if cell.settings.nat != "none" else {}),
            "POISON_QUEUE_URL": cell.dead_letters.url,
        },
        statements=[
            *access.journal(
                cell,
                here=["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"],
                there=["dynamodb:BatchGetItem"],
            ),
            # The stream's own name holds the moment it was switched on.
            iam.allow(
                ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
                [cell.arn("dynamodb", f"table/{names.journal_table}/stream/*")],
            ),
            # A listing (Service Authorization Reference, Amazon DynamoDB).
            iam.allow(["dynamodb:ListStreams"], ["*"]),
            *access.database(
                cell, ["rds-data:BatchExecuteStatement", "rds-data:ExecuteStatement"], places=[cell.place]
            ),
            # The endpoint sends to the other region's bus while the primary's is unwell [EVENTS-4].
            iam.allow(
                ["events:PutEvents"],
                [
                    cell.arn("events", f"event-bus/{names.bus}"),
                    cell.arn("events", f"event-bus/{names.bus}", region=cell.peer),
                    cell.arn("events", f"endpoint/{names.events}", region=cell.settings.region(Place.PRIMARY)),
                ],
            ),
            access.keys_through(cell, "events", regions=[cell.region, cell.peer]),
            access.parameters(cell, ["ssm:GetParameter"], names.event_endpoint_parameter),
        ],
        timeout=TIMEOUT,
        opts=opts,
    )
