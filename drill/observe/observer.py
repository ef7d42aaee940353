"""How a run looks at the system, wherever that is."""

from typing import Protocol

from drill.model.control_plane_calls import ControlCall
from drill.model.ledger_row import Row
from drill.model.status import Status


class Watched(Protocol):
    """Every method raises ProbeError."""

    async def status(self) -> Status: ...

    async def posted(self, status: Status) -> int:
        """Payments of this run in the writer's ledger."""

    async def rows(self, status: Status, region: str) -> dict[str, Row]:
        """The ledger of a region's member."""

    async def second_run(self) -> dict[str, int]:
        """Run the stack programs again; how many changes each wanted."""

    async def mark_calls(self) -> None:
        """Begin to count calls."""

    async def calls(self) -> list[ControlCall]:
        """Control-plane calls of our own functions since the mark."""
