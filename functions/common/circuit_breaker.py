"""A circuit breaker: skips calls to a service that keeps failing, and detects its recovery soon."""

import random
import threading
import time
from collections.abc import Callable

_MOST_DOUBLINGS = 16  # far beyond any longest pause


class Breaker:
    """Closed, it permits every call; `failures_to_open` failures in a row open it. Open, it permits one trial call
    every `trial_seconds`, and the first success closes it.

    With `longest_trial_seconds`, the pause doubles with each failed trial up to that, and each is shortened by up to
    half at random: every sandbox has a breaker of its own, and together they would otherwise try at the same moments.
    A recovered peer is therefore skipped for at most the longest pause plus the duration of one call. The caller
    reports each permitted call by `succeeded` or `failed`; a call that is never reported does not keep the breaker open
    longer. Thread-safe. `jitter` returns numbers from 0 to 1.
    """

    def __init__(
        self,
        *,
        failures_to_open: int,
        trial_seconds: float,
        longest_trial_seconds: float | None = None,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        # Wall-clock time, because a monotonic clock may stop while Lambda freezes the process. A step backwards counts
        # as elapsed time: it costs one trial.
        self._failures_to_open = failures_to_open
        self._trial_seconds = trial_seconds
        self._longest = longest_trial_seconds
        self._clock = clock
        self._jitter = jitter
        self._pause = trial_seconds
        self._failures = 0
        self._waiting_since: float | None = None  # None while closed
        self._lock = threading.Lock()

    def permits(self) -> bool:
        """Whether to make the call now. While open, True is the trial; the next one comes a pause later."""
        with self._lock:
            if self._waiting_since is None:
                return True
            now = self._clock()
            if 0 <= now - self._waiting_since < self._pause:
                return False
            self._waiting_since = now
            return True

    def succeeded(self) -> None:
        """Report a successful call: closes the breaker."""
        with self._lock:
            self._failures = 0
            self._waiting_since = None
            self._pause = self._trial_seconds

    def failed(self) -> None:
        """Report a failed call: opens the breaker after `failures_to_open` in a row."""
        with self._lock:
            self._failures += 1
            if self._failures >= self._failures_to_open:
                self._waiting_since = self._clock()
                if self._longest is not None:
                    trials = self._failures - self._failures_to_open
                    longest = min(self._longest, self._trial_seconds * 2.0 ** min(trials, _MOST_DOUBLINGS))
                    self._pause = longest * (1 - self._jitter() / 2)
