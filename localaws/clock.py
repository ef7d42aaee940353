"""AWS time on this machine: every interval that AWS documents can be sped up by one factor.

Evaluators (health checks, alarms, schedules) sleep in AWS seconds; reports give both measured and AWS time.
"""

import asyncio
import time


class Clock:
    """Converts between AWS seconds (what the deployed resource says) and seconds on this machine."""

    def __init__(self, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError(f"speed is {speed}; a positive factor is needed, such as 1 or 10")
        self.speed = speed
        self._started = time.monotonic()

    def real(self, aws_seconds: float) -> float:
        """How long `aws_seconds` take on this machine."""
        return aws_seconds / self.speed

    def now(self) -> float:
        """AWS seconds since this clock was made."""
        return (time.monotonic() - self._started) * self.speed

    async def sleep(self, aws_seconds: float) -> None:
        await asyncio.sleep(self.real(aws_seconds))
