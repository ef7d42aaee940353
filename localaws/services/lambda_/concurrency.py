"""Lambda's limits of concurrent executions, at this machine's size.

On AWS a function with a reservation has that many executions for itself, and all others of the account share what is
left in the region [LAMBDA-19]. Here a region's traffic is thousands of times smaller than what 1,000 executions serve,
and an execution is a process. So a *pool* is at most `IN_FLIGHT` wide: each function with a reservation has a pool of
its own, of its reservation if that is less, and the functions without one share one. What finds its pool full is
throttled at once.

A rehearsal of overload narrows every pool of a region to what its calibrated traffic needs (`POST /concurrency`), as if
the account were as small as the traffic.
"""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from localaws import emulator
from localaws.core.control import Control

ACCOUNT_LIMIT = 1000
"""AWS's default limit of an account in a region [LAMBDA-4], which reservations are checked against."""

LEAST_UNRESERVED = 100
"""The part of it that reservations must leave [LAMBDA-4]."""

IN_FLIGHT = 16
"""Executions of a pool: eight workers, and as many that wait for one (`localaws.server.main`)."""

_SHARED = ""  # name of the pool of functions without a reservation


class Concurrency:
    """The pools of all regions. For any thread."""

    def __init__(self, regions: Sequence[str]) -> None:
        self._regions = tuple(regions)
        self._narrowed: dict[str, int] = {}
        self._in_flight: Counter[tuple[str, str]] = Counter()
        self._throttled: Counter[str] = Counter()
        self._lock = threading.Lock()

    def install(self, control: Control) -> None:
        emulator.lambda_.limit_concurrency(self)
        emulator.lambda_.check_reservations(ACCOUNT_LIMIT, LEAST_UNRESERVED)
        emulator.apigateway.answer_throttled_integrations()
        control.route("POST", "/concurrency", self._set)
        control.section("concurrency", self.status)

    def enter(self, region: str, function: str, reserved: int | None) -> tuple[str, str] | None:
        """The pool that has admitted an execution; None if it is throttled."""
        pool = (region, _SHARED if reserved is None else function)
        most = min(self._narrowed.get(region, IN_FLIGHT), IN_FLIGHT if reserved is None else reserved)
        with self._lock:
            if self._in_flight[pool] >= most:
                self._throttled[function] += 1
                return None
            self._in_flight[pool] += 1
        return pool

    def leave(self, pool: tuple[str, str]) -> None:
        """Report the end of an execution."""
        with self._lock:
            self._in_flight[pool] -= 1

    def narrow(self, region: str, most: int | None) -> None:
        """Let every pool of `region` admit at most `most` executions; None ends that. Raises ValueError."""
        if region not in self._regions:
            raise ValueError(f"region {region} is not on this machine; it runs {', '.join(self._regions)}")
        if most is None:
            self._narrowed.pop(region, None)
        elif isinstance(most, bool) or not isinstance(most, int) or not 0 < most <= IN_FLIGHT:
            raise ValueError(f"most is {most!r}; a whole number from 1 to {IN_FLIGHT}, or null, is needed")
        else:
            self._narrowed[region] = most

    def status(self) -> dict[str, Any]:
        """Narrowed regions, and throttled executions by function since the start."""
        with self._lock:
            return {"narrowed": dict(self._narrowed), "throttled": dict(self._throttled)}

    def _set(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """`{"region", "most": executions of each pool | null}`."""
        region, most = str(wanted.get("region")), wanted.get("most")
        self.narrow(region, most)
        return {"region": region, "most": most}
