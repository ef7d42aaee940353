"""Counts every call to AWS by who made it and what for, so that a rehearsal can say what it did not need.

Callers are functions, workflows, and everybody else ("outside": the runner, a drill, clients).
"""

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from localaws.core.call_planes import plane_of
from localaws.core.control import Control
from localaws.core.routing import Call


@dataclass(frozen=True, order=True)
class Made:
    """What was called by whom. `region` is where it was to be answered, whether or not it was."""

    caller: str  # function, workflow, outside
    caller_region: str
    region: str
    service: str
    operation: str
    plane: str


class RecordedCalls:
    """Since the last `mark`. Used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.mark()

    def mark(self) -> float:
        """Forget what was, and count from now on; returns the Unix time of it."""
        with self._lock:
            self._counts: Counter[Made] = Counter()
            self._since = time.time()
            return self._since

    def request(self, call: Call, operation: str) -> None:
        """Count a request over HTTP."""
        plane = call.plane if call.plane == "data" else plane_of(call.service, operation)
        caller = ("function", call.caller) if call.caller else ("outside", "")
        self._count(Made(*caller, call.region or "", call.service, operation, plane))

    def task(self, region: str, service: str, operation: str) -> None:
        """Count what a workflow does by itself."""
        self._count(Made("workflow", region, region, service, operation, plane_of(service, operation)))

    def _count(self, made: Made) -> None:
        with self._lock:
            self._counts[made] += 1

    def told(self) -> dict[str, Any]:
        with self._lock:
            counts, since = dict(self._counts), self._since
        return {"since": since, "calls": [{**asdict(made), "count": counts[made]} for made in sorted(counts)]}


class CallApi:
    """`GET /calls` and `POST /calls/mark`."""

    def __init__(self, calls: RecordedCalls) -> None:
        self._calls = calls

    def install(self, control: Control) -> None:
        control.route("GET", "/calls", lambda _wanted: self._calls.told())
        control.route("POST", "/calls/mark", self._mark)

    def _mark(self, _wanted: Mapping[str, Any]) -> dict[str, float]:
        return {"since": self._calls.mark()}
