"""Databases as a part of the server process: what `parts.Part` asks for, around `AuroraPairs`."""

import asyncio
from typing import Any

from localaws import emulator
from localaws.core.control import Control
from localaws.emulator.aurora import GlobalClusterView
from localaws.services.part import Machine
from localaws.services.rds.aurora import AuroraPairs
from localaws.services.rds.faults import DatabaseFaults
from localaws.services.rds.views import global_endpoint


class AuroraPart:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._pairs: AuroraPairs | None = None

    def install(self, control: Control) -> None:
        machine = self._machine
        pairs = self._pairs = AuroraPairs(machine.clock, machine.gate, machine.data_directory, machine.reaper)
        control.section("databases", lambda: _with_urls(pairs))
        control.addresses(pairs.addresses)
        self._faults = DatabaseFaults(pairs, machine.clock, machine.gate)
        self._faults.install(control)

    async def start(self) -> None:
        """Databases start when they are deployed."""

    async def stop(self) -> None:
        if self._pairs:
            self._faults.stop()
            await asyncio.to_thread(self._pairs.close)


class DatabaseNames:
    """RDS without any database behind it: as ministack shows it, with the global writer endpoints that it lacks."""

    def install(self, _control: Control) -> None:
        emulator.aurora.add_to_rds_views(
            cluster=lambda _arn: {},
            instance=lambda _cluster, _identifier: {},
            global_cluster=lambda arn: GlobalClusterView(endpoint=global_endpoint(arn)),
        )

    async def start(self) -> None:
        """Nothing begins."""

    async def stop(self) -> None:
        """Nothing was begun."""


def _with_urls(pairs: AuroraPairs) -> list[dict[str, Any]]:
    """The status of each cluster with the URL, without password, at which a client of this machine reaches it."""
    rows = pairs.status()
    urls = {name: pairs.endpoints(name) for name in {row["global_cluster"] for row in rows} if name}
    return [{**row, "url": urls.get(row["global_cluster"], {}).get(row["region"])} for row in rows]
