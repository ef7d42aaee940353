"""A circuit breaker: it spares callers the wait for what keeps failing, and finds out soon when it is back."""

import threading
import time
from collections.abc import Callable


class Breaker:
    """Closed, it lets every call through. `failures_to_open` failures in a row open it. Open, it lets one call through
    every `trial_seconds`; the first success closes it.

    So a healed peer stays unasked for at most `trial_seconds` plus the time of one call. The caller reports each
    permitted call as succeeded or failed; a call that never reports does not keep the breaker open for longer.
    """

    def __init__(self, *, failures_to_open: int, trial_seconds: float, clock: Callable[[], float] = time.time) -> None:
        # The wall clock, since a monotonic one may stand still while Lambda freezes the process. A step backwards
        # counts as time passed: it costs one trial.
        self._failures_to_open = failures_to_open
        self._trial_seconds = trial_seconds
        self._clock = clock
        self._failures = 0
        self._waiting_since: float | None = None  # None while closed
        self._lock = threading.Lock()

    def permits(self) -> bool:
        """Whether to make the call now. While open, a True is the trial; the next one comes `trial_seconds` later."""
        with self._lock:
            if self._waiting_since is None:
                return True
            now = self._clock()
            if 0 <= now - self._waiting_since < self._trial_seconds:
                return False
            self._waiting_since = now
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failures = 0
            self._waiting_since = None

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= self._failures_to_open:
                self._waiting_since = self._clock()
