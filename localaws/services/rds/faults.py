"""Faults of databases alone, over the control API: `POST /database` and `POST /lag`."""

import threading
from collections.abc import Mapping
from typing import Any

from localaws.core.clock import Clock
from localaws.core.control import Control
from localaws.core.outages import Gate
from localaws.services.rds.aurora import AuroraPairs


class DatabaseFaults:
    def __init__(self, pairs: AuroraPairs, clock: Clock, gate: Gate) -> None:
        self._pairs = pairs
        self._clock = clock
        self._gate = gate
        self._returns: dict[str, threading.Timer] = {}

    def install(self, control: Control) -> None:
        control.route("POST", "/database", self._database)
        control.route("POST", "/lag", self._lag)

    def stop(self) -> None:
        for timer in self._returns.values():
            timer.cancel()

    def _database(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """`{"region", "fault": "down" | null}`; with `seconds` (of AWS) it returns by itself, as a writer restarts."""
        region, fault, seconds = wanted.get("region"), wanted.get("fault"), wanted.get("seconds")
        if region not in self._gate.regions:
            raise ValueError(f"region {region!r} is not on this machine; use {' or '.join(self._gate.regions)}")
        if fault not in ("down", None):
            raise ValueError(f'fault {fault!r} is unknown; use "down" or null')
        if seconds is not None and not _is_duration(seconds):
            raise ValueError(f"seconds is {seconds!r}; a number of AWS seconds is needed")
        if timer := self._returns.pop(region, None):
            timer.cancel()
        self._pairs.set_down(region, fault == "down")
        if fault and seconds is not None:
            timer = self._returns[region] = threading.Timer(
                self._clock.real(seconds), self._pairs.set_down, (region, False)
            )
            timer.daemon = True
            timer.start()
        return {"region": region, "fault": fault}

    def _lag(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """`{"seconds": AWS seconds | null}`, for every database."""
        seconds = wanted.get("seconds")
        if seconds is not None and not _is_duration(seconds):
            raise ValueError(f"seconds is {seconds!r}; a number of AWS seconds or null is needed")
        self._pairs.set_every_lag(seconds)
        return {"seconds": seconds}


def _is_duration(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
