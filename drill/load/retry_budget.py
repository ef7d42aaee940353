"""The retry budget that all clients of a load share, so that retries cannot become the load."""

import asyncio
import time
from collections import deque
from collections.abc import Callable


class RetryBudget:
    """A token bucket: a retry takes a token, a success returns a part of one.

    Modelled on the AWS SDKs' standard retry mode [SDK-1]. It differs in one point: an empty bucket delays a retry
    instead of ending it, since a client that may have paid retries until it gets an answer. Tokens also return with
    time, so that waiting clients continue while nothing succeeds.
    """

    def __init__(
        self,
        *,
        capacity: float,
        per_success: float,
        per_second: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity = self._tokens = capacity
        self._per_success = per_success
        self._per_second = per_second
        self._now = now
        self._filled_at = now()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def of(cls, rate: float, *, now: Callable[[], float] = time.monotonic) -> "RetryBudget":
        """For clients that offer `rate` payments a second: a second's worth at once, then a retry for every second
        success, and a fifth of the rate while nothing succeeds."""
        return cls(capacity=max(5.0, rate), per_success=0.5, per_second=max(1.0, rate / 5), now=now)

    @property
    def waiting(self) -> int:
        """Retries that wait for a token."""
        return len(self._waiting)

    async def take(self) -> None:
        """Wait, in the order of the calls, until a retry may be sent."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            raise

    def succeeded(self) -> None:
        """A request succeeded: the service can take more."""
        self._tokens = min(self._capacity, self._tokens + self._per_success)
        self._serve()

    def _serve(self) -> None:
        now = self._now()
        self._tokens = min(self._capacity, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        while self._waiting and self._tokens >= 1:
            turn = self._waiting.popleft()
            if not turn.done():
                self._tokens -= 1
                turn.set_result(None)
        if self._waiting and self._timer is None:
            left = (1 - self._tokens) / self._per_second
            self._timer = asyncio.get_running_loop().call_later(left, self._again)

    def _again(self) -> None:
        self._timer = None
        self._serve()
