"""Interfaces through which a run observes the system."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from drill.model.attempts import Intent
from drill.model.status import ControlCall, Row, Status
from drill.observe.journal import Entry
from drill.observe.sentinel_log import Decision
from shared.places import Place

Journals = Mapping[str, Mapping[str, Entry]]
"""Payments by region and payment id."""

Ledgers = Mapping[str, Mapping[str, Row]]
"""Rows by region and payment id."""


class Observer(Protocol):
    """An observer of any environment. Methods raise ProbeError."""

    async def status(self) -> Status: ...

    async def posted(self, status: Status) -> int:
        """Payments of this run in the writer's ledger."""

    async def ledgers(self) -> tuple[Ledgers, list[str]]:
        """The rows of every member that can be read, and why others cannot; the ledger of those is empty."""

    async def journals(self, intents: Sequence[Intent]) -> Journals:
        """The journal of each region, as far as `intents` are concerned at least."""

    async def decisions(self, *, since: float, until: float, watcher: Place | None) -> Sequence[Decision]:
        """The sentinels' decisions between two Unix times; the lines of `watcher`'s are waited for."""


@runtime_checkable
class Instrumented(Protocol):
    """Observations that only the embedded AWS allows. Methods raise ProbeError."""

    async def rows(self, status: Status, region: str) -> dict[str, Row]:
        """The ledger of a region's member."""

    async def second_run(self) -> dict[str, list[str]]:
        """Run the stack programs again; the changes by stack."""

    async def mark_calls(self) -> None:
        """Begin to count calls."""

    async def calls(self) -> list[ControlCall]:
        """Control-plane calls of our own functions since the mark."""
