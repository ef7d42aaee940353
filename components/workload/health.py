"""The `health` function of a region: its environment and its permissions."""

import pulumi

from components.compute.function import Function
from components.workload import access
from components.workload.context import Cell


def health_function(cell: Cell, *, opts: pulumi.ResourceOptions) -> Function:
    """Answers `GET /health` for the region, at both doors, whatever the workload is (decision 0010)."""
    return cell.function(
        "health",
        description="Answers for the region's health",
        environment=cell.control,
        statements=access.control_records(cell),
        reserved_concurrency=cell.settings.health_concurrency,
        opts=opts,
    )
