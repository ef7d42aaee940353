"""Clocks in AWS seconds. On AWS they equal real seconds; a rehearsal runs faster, by the factor CLOCK_SPEED."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def utc_now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds and `Z`, the format of the journal."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Converts between AWS seconds and real seconds: `speed` AWS seconds pass in one real second. Arguments and results
    are AWS seconds unless stated otherwise."""

    speed: float = 1.0
    sleep_real: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = utc_now

    def real(self, seconds: float) -> float:
        """`seconds` in real seconds."""
        return seconds / self.speed

    def sleep(self, seconds: float) -> None:
        """Sleep; a negative duration returns at once."""
        self.sleep_real(max(0.0, self.real(seconds)))

    def clock(self) -> float:
        """A monotonic clock; only differences are meaningful."""
        return self.monotonic() * self.speed

    def since(self, moment: str) -> float:
        """Seconds from an ISO 8601 timestamp until now. Raises ValueError for any other text."""
        return (self.now() - datetime.fromisoformat(moment)).total_seconds() * self.speed

    def between(self, earlier: str, later: str) -> float:
        """Seconds between two ISO 8601 timestamps. Raises ValueError for any other text."""
        passed = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
        return passed.total_seconds() * self.speed
