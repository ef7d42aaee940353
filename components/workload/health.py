"""The `health` Lambda function: environment variables and IAM permissions."""

import pulumi

from components.compute.function import Function
from components.workload import access
from components.workload.context import FunctionContext


def health_function(context: FunctionContext, *, opts: pulumi.ResourceOptions) -> Function:
    """Answers `GET /health` for the region at both endpoints, independent of the workload (decision 0010)."""
    return context.function(
        "health",
        description="Answers for the region's health",
        environment=context.control,
        statements=access.control_records(context),
        opts=opts,
    )
