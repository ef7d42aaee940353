"""AWS time on this machine: every interval that AWS documents can be sped up by one factor, which may change.

Evaluators (health checks, alarms, schedules) sleep in AWS seconds; reports give both measured and AWS time. A
duration of this machine is computed when it is needed: one kept from before a change of speed is wrong after it.
"""

import asyncio
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_STEP = 0.25  # seconds of this machine a sleeper sleeps at once: how late it notices a change of speed


@dataclass(frozen=True)
class _Pace:
    """A speed, and since when it holds: in monotonic seconds of this machine and in AWS seconds."""

    machine: float
    aws: float
    speed: float


class Clock:
    """Converts between AWS seconds (those of a deployed resource) and seconds on this machine. For any thread."""

    def __init__(self, speed: float = 1.0) -> None:
        _check(speed)
        self._lock = threading.Lock()
        self._paces = [_Pace(time.monotonic(), 0.0, speed)]
        self._listeners: list[Callable[[], None]] = []

    @property
    def speed(self) -> float:
        """AWS seconds in a second of this machine, at this moment."""
        return self._paces[-1].speed

    def set_speed(self, speed: float) -> None:
        """Go on at another speed from where `now` is. Raises ValueError for one that is not a positive number."""
        _check(speed)
        with self._lock:
            machine = time.monotonic()
            self._paces.append(_Pace(machine, self._at(machine), speed))
        for listener in list(self._listeners):
            listener()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener()` after each change of speed, in the thread that makes it."""
        self._listeners.append(listener)

    def real(self, aws_seconds: float) -> float:
        """The seconds that `aws_seconds` take on this machine, at the present speed."""
        return aws_seconds / self.speed

    def now(self) -> float:
        """AWS seconds since this clock was made."""
        with self._lock:
            return self._at(time.monotonic())

    def elapsed(self, seconds: float) -> float:
        """AWS seconds that passed during the last `seconds` of this machine, whatever the speed was."""
        with self._lock:
            machine = time.monotonic()
            return self._at(machine) - self._at(machine - seconds)

    def unix(self, moment: float) -> float:
        """The machine's Unix time at `moment`, which is in AWS seconds as `now` counts them."""
        with self._lock:
            pace = next((pace for pace in reversed(self._paces) if pace.aws <= moment), self._paces[0])
        return time.time() - time.monotonic() + pace.machine + (moment - pace.aws) / pace.speed

    async def sleep(self, aws_seconds: float, *, least: float = 0.0) -> None:
        """Sleep until `aws_seconds` have passed; a change of speed counts at once. Not less than `least` seconds of
        this machine."""
        due, earliest = self.now() + aws_seconds, time.monotonic() + least
        await asyncio.sleep(0)  # others get their turn even if there is nothing to wait for
        while (left := max(self.real(due - self.now()), earliest - time.monotonic())) > 0:
            await asyncio.sleep(min(left, _STEP))

    def _at(self, machine: float) -> float:
        pace = next((pace for pace in reversed(self._paces) if pace.machine <= machine), self._paces[0])
        return pace.aws + (machine - pace.machine) * pace.speed


def _check(speed: float) -> None:
    if not (math.isfinite(speed) and speed > 0):
        raise ValueError(f"speed is {speed}; a positive factor is needed, such as 1 or 10")
