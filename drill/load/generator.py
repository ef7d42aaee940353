"""Steady load on one address: payments leave on schedule whatever the answers, as independent clients would send them.

Each client retries the same payment until it gets an answer or gives up, so the record holds what was acknowledged to
the outside world. Clients retry as the AWS SDKs do: with growing pauses and jitter, from one budget
(`drill.load.retry_budget`), not before `Retry-After`, and on the connections they have.

The load chooses no region: the address decides where requests go. Some clients can be given another address.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp

from drill.load.client import ClientPolicy, Target, answered_by, retry_after, trust, understand
from drill.load.connections import Connections
from drill.load.retry_budget import RetryBudget
from drill.model.attempts import Attempt, Intent, Outcome, Record
from shared import client_keys

ASIDE_EVERY = 5
"""Of this many clients, one goes to the address aside, if there is one."""

_RAMP_STEPS = 8
_RAMP_SHARE = 0.7  # of what was offered must come back before more is offered; some of it is still under way
_LATEST_SECONDS = 1.0  # an arrival later than this is not made up for: a burst after a pause is no open loop


class LoadGenerator:
    """An open-loop generator: `rate` payments a second from `start` until `stop`.

    With a `ramp`, the rate grows in steps over that many seconds at least, and only while payments come back
    acknowledged: what a cold system cannot take yet is not offered.
    """

    def __init__(
        self,
        target: Target,
        policy: ClientPolicy,
        payments: Iterator[Intent],
        *,
        rate: float,
        ramp: float = 0.0,
        now: Callable[[], float] = time.monotonic,
        jitter: random.Random | None = None,
        aside: Target | None = None,
        burst: int = 1,
    ) -> None:
        """So many payments, `burst`, leave at the same time."""
        self.record = Record()
        self.rate = rate
        self._burst = burst
        self._step_seconds = ramp / _RAMP_STEPS
        self._offered = rate / _RAMP_STEPS if ramp else rate
        self._budget = RetryBudget.of(rate, now=now)
        self.started: float | None = None
        self.stopped: float | None = None
        self._policy = policy
        self._payments = payments
        self._now = now
        self._jitter = jitter or random.Random()
        self._url = f"https://{target.service_name}/payments"
        self._connections = self._connect(target)
        self._aside = self._connect(aside) if aside else None
        self._slots = asyncio.Semaphore(policy.most_in_flight)
        self._in_flight = 0
        self._clients: set[asyncio.Task[None]] = set()
        self._arrivals: asyncio.Task[None] | None = None
        self._ramp: asyncio.Task[None] | None = None
        self._broken: BaseException | None = None

    @property
    def offered(self) -> float:
        """Payments a second that are offered now."""
        if self.started is None or self.stopped is not None:
            return 0.0
        return self._offered

    @property
    def in_flight(self) -> int:
        """Requests sent and not answered yet."""
        return self._in_flight

    @property
    def unsettled(self) -> int:
        """Payments whose clients still ask."""
        return len(self._clients)

    def start(self) -> None:
        self.started = self._now()
        self._arrivals = asyncio.create_task(self._arrive(self.started))
        if self._step_seconds:
            self._ramp = asyncio.create_task(self._rise())

    async def saturate(self, clients: int, seconds: float, *, most: int | None = None) -> list[float]:
        """Instead of `start`: `clients` that send one payment after the other, a closed loop, for `seconds` or until
        `most` are acknowledged. Seconds that the acknowledged ones took."""
        ends = self._now() + seconds
        taken: list[float] = []

        async def client() -> None:
            while self._now() < ends and (most is None or len(taken) < most):
                intent = next(self._payments)
                intent.offered = self._now()
                self.record.intents.append(intent)
                await self._pay(intent)
                if intent.acknowledged is not None:
                    taken.append(intent.acknowledged - intent.offered)

        working = [asyncio.create_task(client()) for _ in range(clients)]
        await asyncio.wait(working, timeout=seconds + self._policy.timeout)  # no client waits for longer
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        return taken

    async def stop(self) -> None:
        """No new payments; clients with an open one go on asking. Raises what broke the generator, if anything did."""
        self.stopped = self.stopped or self._now()
        if self._ramp is not None:
            self._ramp.cancel()
        if self._arrivals is not None:
            arrivals, self._arrivals = self._arrivals, None
            arrivals.cancel()
            await asyncio.wait({arrivals})
            if not arrivals.cancelled():
                self._broken = self._broken or arrivals.exception()
        self.refuse_broken()

    async def drain(self) -> None:
        """Wait until every client has an answer or has given up. Raises the exception that broke one, if any."""
        while self._clients:
            await asyncio.wait(set(self._clients))
        self.refuse_broken()

    async def close(self) -> None:
        """End at once, whatever is under way."""
        self.stopped = self.stopped or self._now()
        tasks = [*self._clients, *(task for task in (self._arrivals, self._ramp) if task)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._connections.close()
        if self._aside:
            await self._aside.close()

    def refuse_broken(self) -> None:
        """Raises what broke the generator itself: a record with holes would prove nothing."""
        if self._broken is not None:
            raise self._broken

    def _connect(self, target: Target) -> Connections:
        return Connections(
            target.host,
            target.port,
            trust(target),
            headers={client_keys.HEADER: target.client_key},
            timeout=self._policy.timeout,
            reopen=self._policy.reopen,
        )

    async def _arrive(self, started: float) -> None:
        due = started
        while True:
            late = self._now() - due
            if late < 0:
                await asyncio.sleep(-late)
                continue
            self.record.latest = max(self.record.latest, late)
            if late > _LATEST_SECONDS:
                self.record.skipped += late
                due += late
            for _ in range(self._burst):
                if self._slots.locked():
                    self.record.shed += 1
                else:
                    self._offer(due)
            due += self._burst / self._offered

    def _offer(self, due: float) -> None:
        intent = next(self._payments)
        intent.offered = due
        self.record.intents.append(intent)
        client = asyncio.create_task(self._pay(intent))
        self._clients.add(client)
        client.add_done_callback(self._settled)

    async def _rise(self) -> None:
        """Offer more, step by step, as long as what is offered comes back."""
        step = self.rate / _RAMP_STEPS
        while self._offered < self.rate:
            await asyncio.sleep(self._step_seconds)
            recent = self.record.recent(self._now(), 2 * self._step_seconds)
            if recent.failed:
                self._offered = max(step, self._offered - step)
            elif recent.ok >= _RAMP_SHARE * (self._offered - step):  # some of the window was at the step before
                self._offered = min(self.rate, self._offered + step)

    def _settled(self, client: asyncio.Task[None]) -> None:
        self._clients.discard(client)
        if not client.cancelled():
            self._broken = self._broken or client.exception()

    async def _pay(self, intent: Intent) -> None:
        """One client: retry until acknowledged, rejected, or given up."""
        content = json.dumps(intent.body).encode()
        policy = self._policy
        pause = policy.first_pause
        while True:
            async with self._slots:
                self._in_flight += 1
                try:
                    attempt, answer, asked_to_wait = await self._attempt(intent, content)
                finally:
                    self._in_flight -= 1
            intent.attempts += 1
            self.record.attempts.append(attempt)
            if attempt.ok:
                intent.acknowledged = attempt.ended
                intent.durability = answer.get("durability")
                self._budget.succeeded()
                return
            if not attempt.outcome.retried:
                intent.given_up = f"refused with {attempt.status}"
                return
            wait = pause * self._jitter.uniform(0.5, 1.0)
            if policy.patient:
                wait = max(wait, asked_to_wait)
            if not await self._may_retry(intent, wait):
                why = f"{attempt.outcome} {attempt.reason}".strip()
                intent.given_up = f"no acknowledgement after {intent.attempts} attempts, last {why}"
                return
            pause = min(2 * pause, policy.longest_pause)

    async def _may_retry(self, intent: Intent, wait: float) -> bool:
        """Wait until the next attempt is due; False if the client gives up before."""
        policy = self._policy
        left = intent.offered + policy.give_up - self._now()
        if wait > left or intent.attempts == policy.most_attempts:
            return False
        await asyncio.sleep(wait)
        if not policy.patient:
            return True
        try:
            async with asyncio.timeout(left - wait):
                await self._budget.take()
        except TimeoutError:
            return False
        return True

    async def _attempt(self, intent: Intent, content: bytes) -> tuple[Attempt, dict[str, Any], float]:
        """The outcome of one request, the body that acknowledges it, and the seconds of `Retry-After`."""
        connections = self._connections
        if self._aside and intent.number % ASIDE_EVERY == 0:
            connections = self._aside
        sent = self._now()
        status: int | None = None
        region: str | None = None
        answer: dict[str, Any] = {}
        reason, asked_to_wait = "", 0.0
        try:
            async with connections.post(self._url, content) as response:
                status, asked_to_wait = response.status, retry_after(response)
                outcome, answer = understand(status, await response.read(), intent)
                region = answered_by(response, answer)
        except TimeoutError:
            outcome = Outcome.TIMEOUT
        except aiohttp.ClientConnectorCertificateError as error:
            outcome, reason = Outcome.UNTRUSTED, str(error.certificate_error)
        except (aiohttp.ClientError, OSError) as error:
            outcome, reason = Outcome.RESET, type(error).__name__
        attempt = Attempt(
            intent=intent.number,
            sent=sent,
            seconds=self._now() - sent,
            outcome=outcome,
            status=status,
            region=region,
            is_retry=intent.attempts > 0,
            reason=reason,
        )
        return attempt, answer, asked_to_wait
