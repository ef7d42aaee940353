"""The `health` function of a region: its environment and its permissions."""

import pulumi

from components import cell_access
from components.cell import Cell
from components.function import Function


def health_function(cell: Cell, *, opts: pulumi.ResourceOptions) -> Function:
    """Answers `GET /health` for the region, at both doors, whatever the workload is (decision 0010)."""
    return cell.function(
        "health",
        description="Answers for the region's health",
        environment=cell.control,
        statements=cell_access.control_records(cell),
        reserved_concurrency=cell.settings.health_concurrency,
        opts=opts,
    )
