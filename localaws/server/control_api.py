"""Routes of the control API: speed and workers (`POST /clock`, `/workers/recycle`), faults of running regions
(`POST /partition`, `/heal-partition`, `/isolate-functions`, `/reconnect-functions`, `/service`, `/degrade`), and
content of tables (`POST /items`)."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from localaws import emulator
from localaws.core import endpoints_file
from localaws.core.clock import Clock
from localaws.core.control import Control
from localaws.core.outages import OutageKind, Outages

MOST_ITEMS = 50_000  # that one call adds; all others wait meanwhile, for less than a second
FASTEST = 100.0  # AWS seconds in a second of this machine; what `up` takes too
GRACE_SECONDS = 3.0
"""Of this machine: how long an invocation goes on at the old speed. A payment takes less, a state machine tries its
task again, and what a schedule calls, such as a sentinel that would watch for up to 55 AWS seconds more, is called
again at once, unless the schedule was disabled."""


class ClockApi:
    """Sets the speed, and ends execution environments, which read it from their variables when they start.

    An environment of the old speed takes no further invocation once the call has been answered. Of `files`, those the
    server removes at its end, `endpoints.json` has the new speed by then.
    """

    def __init__(self, clock: Clock, files: Sequence[Path], restart_schedules: Callable[[], None]) -> None:
        self._clock = clock
        self._restart_schedules = restart_schedules
        self._files = [file for file in files if file.name == endpoints_file.FILE]

    def install(self, control: Control) -> None:
        control.route("POST", "/clock", self._set)
        control.route("POST", "/workers/recycle", self._recycle)

    def _set(self, wanted: Mapping[str, Any]) -> dict[str, float]:
        """`{"speed": AWS seconds in a second of this machine}`. Invocations under way end after `GRACE_SECONDS`."""
        speed = _speed(wanted.get("speed"))
        for file in self._files:
            endpoints_file.set_speed(file, speed)  # first, as the only step that can fail
        self._clock.set_speed(speed)
        emulator.lambda_.retire_workers(GRACE_SECONDS)
        self._restart_schedules()
        return {"speed": speed}

    @staticmethod
    def _recycle(_wanted: Mapping[str, Any]) -> dict[str, int]:
        """`{}`. The next invocation of every function is a cold start; those under way end in their own time."""
        return {"recycled": emulator.lambda_.retire_workers(None)}


def _speed(value: Any) -> float:
    """Raises ValueError."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and 0 < value <= FASTEST):
        raise ValueError(f"speed is {value!r}; a number above 0 and up to {FASTEST:g} is needed")
    return float(value)


class FaultApi:
    """A partition keeps functions of one region from the other's AWS and endpoints, and replication of every kind from
    passing; both serve clients. Isolated functions of a region do not reach the endpoints of the other, and that is
    all. A service that is out answers no caller in its region. A degraded region loses a share of its endpoints'
    responses."""

    def __init__(self, outages: Outages) -> None:
        self._outages = outages

    def install(self, control: Control) -> None:
        control.route("POST", "/partition", self._partition)
        control.route("POST", "/heal-partition", self._heal_partition)
        control.route("POST", "/isolate-functions", self._isolate_functions)
        control.route("POST", "/reconnect-functions", self._reconnect_functions)
        control.route("POST", "/service", self._service)
        control.route("POST", "/degrade", self._degrade)
        control.section(
            "faults",
            lambda: {
                "partitions": self._outages.cuts(),
                "isolated": self._outages.isolated(),
                "services": self._outages.lost_services(),
                "degraded": self._outages.degraded(),
            },
        )

    def _partition(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        one, other = _two(wanted)
        # By default as between networks without a route to each other: no answer.
        self._outages.cut(one, other, OutageKind(wanted.get("kind", OutageKind.HANG)))
        return {"between": [one, other]}

    def _heal_partition(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        one, other = _two(wanted)
        self._outages.join(one, other)
        return {"between": [one, other]}

    def _isolate_functions(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        self._outages.isolate_functions(str(wanted.get("region")))
        return {"region": wanted["region"]}

    def _reconnect_functions(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        self._outages.reconnect_functions(str(wanted.get("region")))
        return {"region": wanted["region"]}

    def _degrade(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """`{"region", "share": of its endpoints' responses that are lost, 0 for none}`."""
        share = wanted.get("share")
        if isinstance(share, bool) or not isinstance(share, int | float):
            raise ValueError(f"share is {share!r}; a number from 0 to less than 1 is needed")
        self._outages.degrade(str(wanted.get("region")), float(share))
        return {"region": wanted["region"], "share": share}

    def _service(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """`{"region", "service": name that calls are signed for, "fault": "error" | "reset" | "hang" | null}`."""
        region, service, fault = str(wanted.get("region")), str(wanted.get("service")), wanted.get("fault")
        if not emulator.requests.is_emulated(service):
            raise ValueError(f"service {service!r} is not emulated; use a name such as events, dynamodb or rds-data")
        if fault is None:
            self._outages.restore_service(region, service)
        else:
            self._outages.lose_service(region, service, OutageKind(fault))
        return {"region": region, "service": service, "fault": fault}


class TableApi:
    """Fills tables with more items than calls of DynamoDB could put there in reasonable time."""

    def __init__(self, regions: Sequence[str]) -> None:
        self._regions = regions

    def install(self, control: Control) -> None:
        control.route("POST", "/items", self._add)

    def _add(self, wanted: Mapping[str, Any]) -> dict[str, int]:
        """`{"table", "first", "count", "item"}`: add `count` copies of an item (in DynamoDB's JSON) to every region's
        replica. In its texts, `{number}` is the copy's number, from `first` on. No stream has them."""
        first, count, item = wanted.get("first", 0), wanted.get("count"), wanted.get("item")
        if not isinstance(first, int) or not isinstance(count, int) or not 0 < count <= MOST_ITEMS:
            raise ValueError(f"count is {count!r}, first is {first!r}; up to {MOST_ITEMS} items are added at once")
        if not isinstance(item, dict) or not item:
            raise ValueError('name an item, such as {"pk": {"S": "payment#{number}"}}')
        numbered = {name for name, value in item.items() if "{number}" in value.get("S", "")}

        def copy(number: int) -> dict[str, Any]:
            text = str(number)
            return item | {name: {"S": item[name]["S"].replace("{number}", text)} for name in numbered}

        try:
            added = emulator.tables.add_items(
                str(wanted.get("table")), (copy(number) for number in range(first, first + count)), self._regions
            )
        except LookupError as problem:
            raise ValueError(str(problem)) from problem
        return {"added": added}


def _two(wanted: Mapping[str, Any]) -> tuple[str, str]:
    """Raises ValueError."""
    pair = wanted.get("between")
    if not isinstance(pair, list) or len(pair) != 2:
        raise ValueError('name two regions: {"between": ["us-east-1", "us-east-2"]}')
    one, other = map(str, pair)
    return one, other
