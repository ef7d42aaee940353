"""EventBridge schedules and rules with a rate, in each region, in AWS time.

A run that comes due while its region is lost is skipped. ministack runs one-time and cron schedules, which follow the
machine's clock.
"""

import asyncio
import functools
import logging
from collections.abc import Callable

from localaws import emulator
from localaws.core.clock import Clock
from localaws.core.control import Control
from localaws.emulator.schedules import RateSchedule
from localaws.services.component import BackgroundTask

POLL_INTERVAL = 0.2  # seconds of this machine between two checks for new schedules
# AWS seconds before Lambda retries an asynchronous invocation: one minute, then two [LAMBDA-17].
FIRST_RETRY, SECOND_RETRY = 60.0, 120.0

logger = logging.getLogger(__name__)


class Schedules(BackgroundTask):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[tuple[str, str, str, str], float] = {}  # on the AWS clock
        self._rates: dict[tuple[str, str, str, str], int] = {}
        self._list: Callable[[], list[RateSchedule]] | None = None
        self._restarts = 0

    def install(self, _control: Control) -> None:
        self._list = emulator.schedules.take_over_rates()
        emulator.schedules.invoke_targets_asynchronously()
        emulator.schedules.retry_only_current_runs()
        self._pace_retries()
        self._clock.on_change(self._pace_retries)

    def _pace_retries(self) -> None:
        emulator.schedules.pace_asynchronous_retries(self._clock.real(FIRST_RETRY), self._clock.real(SECOND_RETRY))

    def restart(self) -> None:
        """Make every schedule due now: its last run was ended early. Lambda does not retry that one as well."""
        self._restarts += 1
        self._due = dict.fromkeys(self._due, self._clock.now())

    def _restarted_as_often(self, restarts: int) -> bool:
        return restarts == self._restarts

    async def run(self) -> None:
        while True:
            try:
                next_due = self._fire_due()
            except Exception:
                logger.exception("event=schedule_failed")
                next_due = None
            left = POLL_INTERVAL if next_due is None else self._clock.real(next_due - self._clock.now())
            await asyncio.sleep(max(0.0, min(POLL_INTERVAL, left)))

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
                # In phase with the last run, and later than runs missed while this machine was busy.
                self._due[key] = due + schedule.seconds * (1 + (now - due) // schedule.seconds)
                schedule.fire(functools.partial(self._restarted_as_often, self._restarts))
        return min(self._due.values(), default=None)
