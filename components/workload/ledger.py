"""The `ledger` Lambda function: environment variables and IAM permissions. Its event source mapping belongs to the
global stack, which owns the journal table (`components.global_stack.links`)."""

import pulumi

from components import iam
from components.compute.function import Function
from components.workload import access, announcer
from components.workload.context import FunctionContext

TIMEOUT = 300
"""Seconds. A replay posts as much of the backlogs as fits, and goes on where it ended."""


def ledger_function(context: FunctionContext, *, opts: pulumi.ResourceOptions) -> Function:
    """Posts the journal's payments to the database while its region may (decision 0006)."""
    names = context.names
    return context.function(
        "ledger",
        description="Posts payments to the database in the writer's region",
        environment={
            **context.control,
            **access.database_environment(context),
            "ANNOUNCER_FUNCTION": context.function_name(announcer.NAME),
            "POISON_QUEUE_URL": context.dead_letters.url,
            "BACKLOG_TABLE": names.backlog_table(context.place),
            "PEER_BACKLOG_TABLE": names.backlog_table(context.place.other),
        },
        statements=[
            *access.journal(
                context,
                here=[
                    "dynamodb:BatchGetItem",
                    "dynamodb:DescribeTable",
                    "dynamodb:GetItem",
                    "dynamodb:PutItem",
                    "dynamodb:Scan",
                ],
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
            *access.database(context, ["rds-data:ExecuteStatement"], places=[context.place]),
            iam.allow(["lambda:InvokeFunction"], [context.function_arn(announcer.NAME)]),
        ],
        timeout=TIMEOUT,
        opts=opts,
    )


def _backlogs(context: FunctionContext) -> list[access.Statement]:
    """Each ledger adds to its region's backlog; the writer's empties both, and replaces batches in both."""
    # A batch of deletions needs the right to each of them too (Service Authorization Reference, Amazon DynamoDB).
    actions = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"]
    return [iam.allow(actions, access.backlog_tables(context))]
