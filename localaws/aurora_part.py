"""Databases as a part of the server process: what `parts.Part` asks for, around `AuroraPairs`."""

import asyncio
from typing import Any

from localaws.aurora import AuroraPairs
from localaws.control import Control
from localaws.parts import Machine


class AuroraPart:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._pairs: AuroraPairs | None = None

    def install(self, control: Control) -> None:
        machine = self._machine
        pairs = self._pairs = AuroraPairs(machine.clock, machine.gate, machine.data_directory, machine.reaper)
        control.section("databases", lambda: _with_urls(pairs))
        control.addresses(pairs.addresses)

    async def start(self) -> None:
        """Databases start when they are deployed."""

    async def stop(self) -> None:
        if self._pairs:
            await asyncio.to_thread(self._pairs.close)


def _with_urls(pairs: AuroraPairs) -> list[dict[str, Any]]:
    """The status of each cluster with the URL, without password, at which a client of this machine reaches it."""
    rows = pairs.status()
    urls = {name: pairs.endpoints(name) for name in {row["global_cluster"] for row in rows} if name}
    return [{**row, "url": urls.get(row["global_cluster"], {}).get(row["region"])} for row in rows]
