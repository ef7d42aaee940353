"""Time as AWS counts it. On AWS a second is a second; a rehearsal runs quicker and says so with CLOCK_SPEED."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds, as the journal writes it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True, kw_only=True)
class Pace:
    """All seconds taken and given are AWS seconds, of which `speed` pass in one of this machine."""

    speed: float = 1.0
    sleep_real: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = utc_now

    def real(self, seconds: float) -> float:
        return seconds / self.speed

    def sleep(self, seconds: float) -> None:
        self.sleep_real(max(0.0, self.real(seconds)))

    def clock(self) -> float:
        """A clock that never steps back; only differences mean anything."""
        return self.monotonic() * self.speed

    def since(self, moment: str) -> float:
        """Seconds from an ISO 8601 timestamp until now. Raises ValueError if it is none."""
        return (self.now() - datetime.fromisoformat(moment)).total_seconds() * self.speed

    def between(self, earlier: str, later: str) -> float:
        """Seconds between two ISO 8601 timestamps. Raises ValueError if one is none."""
        passed = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
        return passed.total_seconds() * self.speed
