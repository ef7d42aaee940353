"""Whether this machine is saturated, by two signs: its traffic loop is late, or functions throttle.

AWS's load balancers and accelerators do not run out of processors; here they share them with everything behind them.
So they shed load themselves, before the expensive part: see `localaws.server.traffic`.
"""

import asyncio
import time

TICK = 0.02  # seconds of this machine between two moments at which the loop is to run something
LATEST = 0.1  # seconds by which it may be late
KEPT = 0.25  # seconds for which either sign counts

MOST_OPENING = 16
"""TLS handshakes to a region at the same time. Otherwise all clients of a burst are let in at once, before either sign
is there, and their handshakes alone take longer than any of them waits."""

FEWEST_OPENING = 2
"""As many are let in on a saturated machine too: a client that comes alone is served, however slow the machine is."""


class Saturation:
    """Used from several threads; `watch` runs in the loop that serves traffic."""

    def __init__(self) -> None:
        self._due: float | None = None  # when the loop is to run next; None while it is not watched
        self._until = 0.0

    @property
    def most_opening(self) -> int:
        """TLS handshakes that a region may have under way now."""
        return FEWEST_OPENING if self.is_saturated else MOST_OPENING

    @property
    def is_saturated(self) -> bool:
        now = time.monotonic()
        return now < self._until or (self._due is not None and now - self._due > LATEST)

    def throttled(self) -> None:
        """A function's invocation found all workers busy."""
        self._until = time.monotonic() + KEPT

    async def watch(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self._due = time.monotonic() + TICK
                await asyncio.sleep(TICK)
                now = time.monotonic()
                if now - self._due > LATEST:
                    self._until = now + KEPT
        finally:
            self._due = None
