"""Schedules that repeat at a rate, in each region and at the speed of this AWS: a minute is a minute of its clock.

A run that comes due while its region is lost is missed and not made up for. One-time and cron schedules follow the
machine's clock and stay with ministack.
"""

import asyncio
import logging
from collections.abc import Callable

from localaws import emulator
from localaws.core.clock import Clock
from localaws.emulator.schedules import RateSchedule

LOOK = 0.2  # seconds of this machine between two looks for new schedules
# AWS seconds before Lambda tries an asynchronous invocation again: one minute, then two [LAMBDA-17].
FIRST_RETRY, SECOND_RETRY = 60.0, 120.0

logger = logging.getLogger(__name__)


class Schedules:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[tuple[str, str, str, str], float] = {}  # on the AWS clock
        self._rates: dict[tuple[str, str, str, str], int] = {}
        self._list: Callable[[], list[RateSchedule]] | None = None
        self._task: asyncio.Task[None] | None = None

    def install(self) -> None:
        self._list = emulator.schedules.take_over_rates()
        emulator.schedules.invoke_targets_asynchronously()
        self._pace_retries()
        self._clock.on_change(self._pace_retries)

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="schedules")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _pace_retries(self) -> None:
        emulator.schedules.pace_asynchronous_retries(self._clock.real(FIRST_RETRY), self._clock.real(SECOND_RETRY))

    def restart(self) -> None:
        """Let every schedule come due now: its last run was ended before its time."""
        self._due = dict.fromkeys(self._due, self._clock.now())

    async def _run(self) -> None:
        while True:
            try:
                next_due = self._fire_due()
            except Exception:
                logger.exception("a schedule could not run")
                next_due = None
            left = LOOK if next_due is None else self._clock.real(next_due - self._clock.now())
            await asyncio.sleep(max(0.0, min(LOOK, left)))

    def _fire_due(self) -> float | None:
        """Fire what is due; returns when the next one is."""
        assert self._list
        schedules = {schedule.key: schedule for schedule in self._list()}
        now = self._clock.now()
        for gone in self._due.keys() - schedules.keys():
            del self._due[gone]
        for key, schedule in schedules.items():
            if self._rates.get(key) != schedule.seconds:
                self._due.pop(key, None)
                self._rates[key] = schedule.seconds
            due = self._due.setdefault(key, now if schedule.first_at_once else now + schedule.seconds)
            if due <= now:
                # On the same beat, and past what was missed while this machine was busy.
                self._due[key] = due + schedule.seconds * (1 + (now - due) // schedule.seconds)
                schedule.fire()
        return min(self._due.values(), default=None)
