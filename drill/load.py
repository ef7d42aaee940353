"""Steady load on one address: payments leave on schedule whatever the answers, as independent clients would send them.

Each client asks again with the same payment until it is told or gives up, so the record says what the outside world was
promised. Nothing here knows of regions or chooses one: whoever stands behind the address decides where requests go.
Some clients can be given another address; they keep to it.
"""

import asyncio
import json
import math
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp

from drill.client import ClientPolicy, Target, answered_by, trust, understand
from drill.connections import Connections
from drill.record import Attempt, Intent, Outcome, Record
from shared import client_keys

ASIDE_EVERY = 5
"""Of this many clients, one goes to the address aside, if there is one."""


class Load:
    """An open-loop generator: `rate` payments a second from `start` until `stop`, reached evenly in `ramp` seconds."""

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
    ) -> None:
        self.record = Record()
        self.rate = rate
        self._ramp = ramp
        self.started: float | None = None
        self.stopped: float | None = None
        self._policy = policy
        self._payments = payments
        self._now = now
        self._jitter = jitter or random.Random()
        self._url = f"https://{target.service_name}/payments"
        self._connections = self._connect(target)
        self._aside = self._connect(aside) if aside else None
        self._slots = asyncio.Semaphore(policy.most_under_way)
        self._under_way = 0
        self._clients: set[asyncio.Task[None]] = set()
        self._arrivals: asyncio.Task[None] | None = None
        self._broken: BaseException | None = None

    @property
    def offered(self) -> float:
        """Payments a second that are offered now."""
        if self.started is None or self.stopped is not None:
            return 0.0
        elapsed = self._now() - self.started
        return self.rate if elapsed >= self._ramp else self.rate * elapsed / self._ramp

    @property
    def under_way(self) -> int:
        """Requests sent and not answered yet."""
        return self._under_way

    @property
    def unsettled(self) -> int:
        """Payments whose clients still ask."""
        return len(self._clients)

    def start(self) -> None:
        self.started = self._now()
        self._arrivals = asyncio.create_task(self._arrive(self.started))

    async def stop(self) -> None:
        """No new payments; clients with an open one go on asking. Raises what broke the generator, if anything did."""
        self.stopped = self.stopped or self._now()
        if self._arrivals is not None:
            arrivals, self._arrivals = self._arrivals, None
            arrivals.cancel()
            await asyncio.wait({arrivals})
            if not arrivals.cancelled():
                self._broken = self._broken or arrivals.exception()
        self.refuse_broken()

    async def drain(self) -> None:
        """Wait until every client has been told or has given up. Raises what broke one, if anything did."""
        while self._clients:
            await asyncio.wait(set(self._clients))
        self.refuse_broken()

    async def close(self) -> None:
        """End at once, whatever is under way."""
        self.stopped = self.stopped or self._now()
        tasks = [*self._clients, *([self._arrivals] if self._arrivals else [])]
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
        arrival = 0
        while True:
            due = started + self._due(arrival)
            late = self._now() - due
            if late < 0:
                await asyncio.sleep(-late)
                continue
            arrival += 1
            self.record.latest = max(self.record.latest, late)
            if self._slots.locked():
                self.record.shed += 1
                continue
            intent = next(self._payments)
            intent.offered = due
            self.record.intents.append(intent)
            client = asyncio.create_task(self._pay(intent))
            self._clients.add(client)
            client.add_done_callback(self._settled)

    def _due(self, arrival: int) -> float:
        """When a payment leaves, in seconds after the start: the integral of the rate has reached its number."""
        if arrival < self.rate * self._ramp / 2:
            return math.sqrt(2 * self._ramp * arrival / self.rate)
        return self._ramp / 2 + arrival / self.rate

    def _settled(self, client: asyncio.Task[None]) -> None:
        self._clients.discard(client)
        if not client.cancelled():
            self._broken = self._broken or client.exception()

    async def _pay(self, intent: Intent) -> None:
        """One client: ask until told, refused for good, or out of patience."""
        content = json.dumps(intent.body).encode()
        pause = self._policy.first_pause
        while True:
            async with self._slots:
                self._under_way += 1
                try:
                    attempt, answer = await self._attempt(intent, content)
                finally:
                    self._under_way -= 1
            intent.attempts += 1
            self.record.attempts.append(attempt)
            if attempt.ok:
                intent.acknowledged = attempt.ended
                intent.durability = answer.get("durability")
                return
            if not attempt.outcome.retried:
                intent.given_up = f"refused with {attempt.status}"
                return
            wait = pause * self._jitter.uniform(0.5, 1.0)
            if self._now() + wait > intent.offered + self._policy.give_up:
                why = f"{attempt.outcome} {attempt.reason}".strip()
                intent.given_up = f"no acknowledgement in {self._policy.give_up:g} s, last {why}"
                return
            await asyncio.sleep(wait)
            pause = min(2 * pause, self._policy.longest_pause)

    async def _attempt(self, intent: Intent, content: bytes) -> tuple[Attempt, dict[str, Any]]:
        connections = self._connections
        if self._aside and intent.number % ASIDE_EVERY == 0:
            connections = self._aside
        sent = self._now()
        status: int | None = None
        region: str | None = None
        answer: dict[str, Any] = {}
        reason = ""
        try:
            async with connections.post(self._url, content) as response:
                status = response.status
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
            reason=reason,
        )
        return attempt, answer
