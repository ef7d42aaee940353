"""The `ledger` Lambda function: environment variables and IAM permissions. Its event source mapping belongs to the
global stack, which owns the journal table (`components.global_stack.links`)."""

import pulumi

from components import iam
from components.compute.function import Function
from components.database.global_database import DATABASE
from components.workload import access
from components.workload.context import FunctionContext
from shared.places import Place

TIMEOUT = 300
"""Seconds. A replay posts as much of the backlogs as fits, and goes on where it ended."""


def ledger_function(context: FunctionContext, *, opts: pulumi.ResourceOptions) -> Function:
    """Posts the journal's payments to the database while its region may (decision 0006)."""
    names = context.names
    return context.function(
        "ledger",
        description="Posts payments to the database in the writer's region, and announces them",
        environment={
            **context.control,
            "CLUSTER_ARN": access.cluster_arn(context, context.place),
            "DATABASE_SECRET": names.database_secret,
            "DATABASE_NAME": DATABASE,
            "DATABASE_ENGINE": context.settings.engine,
            "EVENT_BUS": names.bus,
            # No private way leads to the endpoint's own host: without NAT, events go to the bus (decision 0002).
            **({"EVENT_ENDPOINT_PARAMETER": names.event_endpoint_parameter} if context.settings.nat != "none" else {}),
            "POISON_QUEUE_URL": context.dead_letters.url,
            "BACKLOG_TABLE": names.backlog_table(context.place),
            "PEER_BACKLOG_TABLE": names.backlog_table(context.place.other),
        },
        statements=[
            *access.journal(
                context,
                here=["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"],
                there=["dynamodb:BatchGetItem"],
            ),
            *_backlogs(context),
            # The stream's own name holds the moment it was switched on.
            iam.allow(
                ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
                [context.arn("dynamodb", f"table/{names.journal_table}/stream/*")],
            ),
            # A listing (Service Authorization Reference, Amazon DynamoDB).
            iam.allow(["dynamodb:ListStreams"], ["*"]),
            *access.database(
                context, ["rds-data:BatchExecuteStatement", "rds-data:ExecuteStatement"], places=[context.place]
            ),
            # The endpoint sends to the other region's bus while the primary's is unwell [EVENTS-4].
            iam.allow(
                ["events:PutEvents"],
                [
                    context.arn("events", f"event-bus/{names.bus}"),
                    context.arn("events", f"event-bus/{names.bus}", region=context.peer),
                    context.arn("events", f"endpoint/{names.events}", region=context.settings.region(Place.PRIMARY)),
                ],
            ),
            access.keys_through(context, "events", regions=[context.region, context.peer]),
            access.parameters(context, ["ssm:GetParameter"], names.event_endpoint_parameter),
        ],
        timeout=TIMEOUT,
        opts=opts,
    )


def _backlogs(context: FunctionContext) -> list[access.Statement]:
    """Each ledger adds to its region's backlog; the writer's empties both."""
    own, peer = access.backlog_tables(context)
    # A batch of deletions needs the right to each of them too (Service Authorization Reference, Amazon DynamoDB).
    emptying = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:Query"]
    return [iam.allow([*emptying, "dynamodb:PutItem"], [own]), iam.allow(emptying, [peer])]
