"""A lost region does no work: no function runs there, no schedule fires, nothing is delivered to it or from it.

What AWS keeps in durable queues (asynchronous invocations, records at event sources, deliveries of topics, one-time
schedules, workflow executions) waits and goes on after the heal. A recurring schedule that comes due meanwhile is
missed.
"""

import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from localaws import emulator
from localaws.core.clock import Clock
from localaws.core.outages import Outage, Outages
from localaws.services.replication import Replication

_LOST: dict[str, Any] = {
    "body": {"errorType": "Sandbox.Lost", "errorMessage": "The region of this function is lost."},
    "error": True,
    "log": "",
}

_THROTTLE_PAUSE = 1.0
"""AWS seconds until Lambda tries a throttled asynchronous invocation again; it stays queued for hours [LAMBDA-19]."""

_asynchronous: ContextVar[bool] = ContextVar("asynchronous_invocation", default=False)


class BackgroundWork:
    """Stops the work of lost regions and lets it go on after the heal."""

    def __init__(self, clock: Clock, outages: Outages, replication: Replication) -> None:
        self._clock = clock
        self._outages = outages
        self._replication = replication
        self._changed = threading.Condition()

    def install(self) -> None:
        emulator.lambda_.gate_function_executions(self._execute)
        emulator.lambda_.mark_asynchronous_invocations(_asynchronous)
        emulator.lambda_.refuse_new_workers(self._outages.is_lost)
        emulator.lambda_.skip_event_source_mappings(self._outages.is_lost)
        emulator.eventbridge.gate_event_targets(self._to_target)
        emulator.eventbridge.gate_queue_deliveries(self._to_queue)
        emulator.workflows.gate_workflow_tasks(self._wait_for, self._outages.is_lost)
        self._outages.on_change(self._on_change)

    def _on_change(self, region: str, outage: Outage | None) -> None:
        if outage:
            emulator.lambda_.kill_workers(region)
        with self._changed:
            self._changed.notify_all()

    def _wait_for(self, region: str) -> None:
        """Block this thread until `region` is there."""
        with self._changed:
            self._changed.wait_for(lambda: not self._outages.is_lost(region))

    def _execute(self, region: str, execute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        while True:
            if _asynchronous.get():
                self._wait_for(region)
            elif self._outages.is_lost(region):
                return dict(_LOST)
            result = execute()
            if _asynchronous.get() and result.get("throttle"):
                time.sleep(self._clock.real(_THROTTLE_PAUSE))
            elif not (_asynchronous.get() and result.get("error") and self._outages.is_lost(region)):
                return result

    def _to_target(self, region: str, rule: dict[str, Any], deliver: Callable[[], None]) -> None:
        if not self._outages.is_lost(region):
            deliver()
        elif rule.get("ScheduleExpression", "").startswith("at("):
            self._replication.send("schedules", region, region, deliver)

    def _to_queue(self, source: str, destination: str, deliver: Callable[[], None]) -> None:
        ends = (source, destination)
        if any(map(self._outages.is_lost, ends)) or self._outages.is_cut(*ends):
            self._replication.send("topics", source, destination, deliver)
        else:
            deliver()
