"""Databases as components of the server process, and the control API's faults of databases alone."""

import asyncio
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localaws import emulator
from localaws.core.clock import Clock
from localaws.core.control import Control
from localaws.core.outages import Outages
from localaws.core.reaper import Reaper
from localaws.emulator.aurora import GlobalClusterView
from localaws.services.component import Component
from localaws.services.rds.aurora import AuroraPairs
from localaws.services.rds.views import global_endpoint


class AuroraDatabases(Component):
    """Databases start when they are deployed. Faults of databases alone: `POST /database` and `POST /lag`."""

    def __init__(self, clock: Clock, outages: Outages, data_directory: Path, reaper: Reaper) -> None:
        self._clock = clock
        self._outages = outages
        self._pairs = AuroraPairs(clock, outages, data_directory, reaper)
        self._recoveries: dict[str, threading.Timer] = {}

    def install(self, control: Control) -> None:
        control.section("databases", self._pairs.status)
        control.addresses(self._pairs.addresses)
        control.route("POST", "/database", self._set_database)
        control.route("POST", "/lag", self._set_lag)

    async def stop(self) -> None:
        for timer in self._recoveries.values():
            timer.cancel()
        await asyncio.to_thread(self._pairs.close)

    def _set_database(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """`{"region", "fault": "down" | null}`; with `seconds` (of AWS) it recovers by itself, as a writer restarts."""
        region, fault, seconds = wanted.get("region"), wanted.get("fault"), wanted.get("seconds")
        if region not in self._outages.regions:
            raise ValueError(f"region {region!r} is not on this machine; use {' or '.join(self._outages.regions)}")
        if fault not in ("down", None):
            raise ValueError(f'fault {fault!r} is unknown; use "down" or null')
        if seconds is not None and not _is_duration(seconds):
            raise ValueError(f"seconds is {seconds!r}; a number of AWS seconds is needed")
        if timer := self._recoveries.pop(region, None):
            timer.cancel()
        self._pairs.set_down(region, fault == "down")
        if fault and seconds is not None:
            timer = self._recoveries[region] = threading.Timer(
                self._clock.real(seconds), self._pairs.set_down, (region, False)
            )
            timer.daemon = True
            timer.start()
        return {"region": region, "fault": fault}

    def _set_lag(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """`{"seconds": AWS seconds | null}`, for every database."""
        seconds = wanted.get("seconds")
        if seconds is not None and not _is_duration(seconds):
            raise ValueError(f"seconds is {seconds!r}; a number of AWS seconds or null is needed")
        self._pairs.set_lag(seconds or 0.0)
        return {"seconds": seconds}


class DatabaseNames(Component):
    """RDS without any database behind it: as ministack shows it, with the global writer endpoints that it lacks."""

    def install(self, _control: Control) -> None:
        emulator.aurora.add_to_rds_views(
            cluster=lambda _arn: {},
            instance=lambda _cluster, _identifier: {},
            global_cluster=lambda arn: GlobalClusterView(endpoint=global_endpoint(arn)),
        )


def _is_duration(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
