"""The `announcer` Lambda function: environment variables and IAM permissions. Its source is `functions/ledger`. The
ledger invokes it; the global stack schedules its sweep (`components.global_stack.links`)."""

import pulumi

from components import iam
from components.compute.function import Function
from components.workload import access
from components.workload.context import FunctionContext
from shared.places import Place

NAME = "announcer"
TIMEOUT = 60
"""Seconds. A sweep ends before the next one begins, so that no two of them announce the same payments."""
SWEEP = {"operation": "sweep"}


def announcer_function(context: FunctionContext, *, opts: pulumi.ResourceOptions) -> Function:
    """Publishes an event for each posted payment."""
    names = context.names
    return context.function(
        "ledger",
        label=NAME,
        entry="announcing",
        description="Publishes an event for each payment that was posted",
        environment={
            **context.control,
            **access.database_environment(context),
            "EVENT_BUS": names.bus,
            # No private way leads to the endpoint's own host: without NAT, events go to the bus (decision 0002).
            **({"EVENT_ENDPOINT_PARAMETER": names.event_endpoint_parameter} if context.settings.nat != "none" else {}),
        },
        statements=[
            *access.writer_record(context),
            *access.database(context, ["rds-data:ExecuteStatement"], places=[context.place]),
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
