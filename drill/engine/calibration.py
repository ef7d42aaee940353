"""Calibration: measures what this machine sustains, after the deployment, and chooses a rehearsal's rate and speed.

A rehearsal on a machine that is too slow for it measures the machine. So the deployed environment first gets
as many payments as it can answer, for a few seconds, in a closed loop: each client sends its next payment when the last
one is answered, so nothing piles up. From that follow the CPU time of a payment, the base load without payments and
the processors this machine really gives, and from these a rate and a speed that leave room for a failover.
"""

import asyncio
import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drill.load.client import ClientPolicy, Target
from drill.load.generator import LoadGenerator
from drill.load.payments import payments
from drill.model.errors import CouldNotStart, Inconclusive
from drill.observe.progress import Progress
from drill.observe.starvation import Starvation
from drill.scenarios.settings import AUTOMATIC_RATE, AUTOMATIC_SPEED

FASTEST = AUTOMATIC_SPEED
SLOWEST = 1.0
MOST = AUTOMATIC_RATE  # payments a second: enough to see every gap, and more would only measure this machine
LEAST = 4.0  # below, a second of outage would go unseen

_BUSY = 0.5
"""Share of the processors that the steady state may use: a failover adds replays, proofs and deployments to it, and
with the peaks of both it stays below about 60 %."""

_DRAINED = 0.15
"""Share of the processors that the payments themselves may use. A failover replays, beside the load, what was accepted
during its detection and the promotion, about 90 AWS seconds, and has less than 15 for it: however slow the clock, only
a lower rate makes that less work."""

_SUSTAINED = 0.85
"""Share of the processors above which latencies grow without end; what a rate given by hand may use."""

_REFERENCE_SECONDS = 0.030
"""Latency of a payment without any other at which `FASTEST` leaves the computing of a failover enough time."""

_CORES = 1.7
"""Processors at which `FASTEST` leaves what happens at the same time in a failover enough of them."""

_CONTENTION = 1.5
"""The slowdown of a rehearsal beside other programs: half as fast if a third of the time is waiting for them."""

_CLIENTS = (1, 3, 8)  # at the same time
_STEP_SECONDS = 1.5
_BASE_SECONDS = 1.5
_WARM_CLIENTS = 3  # at the same time, so that as many workers start
_WARM_SECONDS = 20.0  # for a cold function's first answers, on a slow machine


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """The measurements at one speed. CPU figures are of all processes of the rehearsal together."""

    speed: float  # at which the base load was measured
    cores: float  # that the machine gave under full load
    base: float  # cores busy without payments
    seconds_per_payment: float  # of CPU
    latency: float  # seconds; the median without any other payment
    contention: float = 0.0  # share of the time without payments in which other programs had the processors

    def base_at(self, speed: float) -> float:
        """Cores busy without payments at another speed: health checks and sentinels come as often in AWS time."""
        return self.base * speed / self.speed

    def sustained(self, speed: float, *, share: float) -> float:
        """Payments a second that use `share` of the processors at `speed`."""
        return max(0.0, (share * self.cores - self.base_at(speed)) / self.seconds_per_payment)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Rate and speed of a rehearsal, and why in one sentence."""

    rate: float
    speed: float
    why: str


def choose(capacity: Capacity, *, rate: float | None, speed: float | None, fastest: float = FASTEST) -> Choice:
    """`rate` and `speed` that were given by hand are kept. Raises Inconclusive for what this machine cannot keep up."""
    by_hand = [name for name, given in (("RATE", rate), ("SPEED", speed)) if given is not None]
    chosen_speed = speed if speed is not None else _speed(capacity, fastest)
    drained = _DRAINED * capacity.cores / capacity.seconds_per_payment
    comfortable = min(capacity.sustained(chosen_speed, share=_BUSY), drained)
    most = capacity.sustained(chosen_speed, share=_SUSTAINED)
    measured = (
        f"this machine gives {capacity.cores:.2f} cores, needs {capacity.base_at(chosen_speed):.2f} of them without "
        f"payments and {1000 * capacity.seconds_per_payment:.0f} ms of CPU for each payment, and answers one in "
        f"{1000 * capacity.latency:.0f} ms; other programs hold it up for {capacity.contention:.0%} of the time"
    )
    if rate is not None and rate > most:
        raise Inconclusive(
            f"this machine sustains about {_round(max(comfortable, 1)):g} payments/s at SPEED={chosen_speed:g}; run "
            f"again with RATE={_round(max(comfortable, 1)):g} ({measured})",
            may_pass_slower=False,
        )
    if rate is None and most < LEAST:
        raise Inconclusive(
            f"this machine sustains about {most:.1f} payments/s at SPEED={chosen_speed:g}, and {LEAST:g} are needed to "
            f"see an outage: use a lower SPEED=, or end what else runs on it ({measured})"
        )
    chosen_rate = rate if rate is not None else min(MOST, max(LEAST, _round(comfortable)))
    kept = f"; {' and '.join(by_hand)} given by hand" if by_hand else ""
    return Choice(rate=chosen_rate, speed=chosen_speed, why=f"{measured}{kept}")


def _speed(capacity: Capacity, fastest: float) -> float:
    """As fast as the machine answers, and slow enough to leave `LEAST` payments a second room beside the base load."""
    by_latency = FASTEST * _REFERENCE_SECONDS / max(capacity.latency, 1e-3)
    by_cores = FASTEST * capacity.cores / _CORES
    room = _BUSY * capacity.cores - LEAST * capacity.seconds_per_payment
    by_base = capacity.speed * room / max(capacity.base, 1e-3)
    by_contention = FASTEST * (1 - _CONTENTION * capacity.contention)
    wanted = min(FASTEST, fastest, by_latency, by_cores, by_base, by_contention)
    return max(SLOWEST, int(2 * wanted + 1e-9) / 2)  # in halves: a figure that can be typed and compared


def _round(rate: float) -> float:
    """Down to a number that reads well."""
    return float(int(rate)) if rate < 20 else float(int(rate / 5) * 5)


async def measure(
    targets: Sequence[Target],
    *,
    seed: int,
    speed: float,
    cpu_seconds: Callable[[], float],
    starvation: Starvation,
    progress: Progress,
) -> Capacity:
    """Warm every target's functions, then load the first target. `cpu_seconds` gives the CPU time of all processes,
    `starvation` that of this machine as it goes on.

    Raises CouldNotStart for an environment that does not answer at all.
    """
    turns = itertools.count(1)

    async def answered(target: Target, clients: int, seconds: float, *, most: int | None = None) -> list[float]:
        return await _closed_loop(
            target, clients, seconds, label=f"calibration-{next(turns)}", seed=seed, speed=speed, most=most
        )

    with progress.stage("warm the functions") as stage:
        for target in targets:
            for clients in range(1, _WARM_CLIENTS + 1):
                if not await answered(target, clients, _WARM_SECONDS, most=2 * clients):
                    raise CouldNotStart(f"no payment was answered in {_WARM_SECONDS:g} s while the functions started")
        stage.detail = f"{_WARM_CLIENTS} at the same time in each region"
    with progress.stage("find out what this machine sustains") as stage:
        before, began = cpu_seconds(), time.monotonic()
        await asyncio.sleep(_BASE_SECONDS)
        base = (cpu_seconds() - before) / (time.monotonic() - began)
        contention = starvation.share(began, time.monotonic())
        steps = []  # payments a second, cores busy
        latency = 0.0
        for clients in _CLIENTS:
            before, began = cpu_seconds(), time.monotonic()
            latencies = await answered(targets[0], clients, _STEP_SECONDS)
            seconds = time.monotonic() - began
            if clients == 1 and latencies:
                latency = statistics.median(latencies)
            steps.append((len(latencies) / seconds, (cpu_seconds() - before) / seconds))
        rate, busy = max(steps)
        if not rate:
            raise CouldNotStart("no payment was answered while this machine was measured")
        cores = max(busy for _rate, busy in steps)
        capacity = Capacity(
            speed=speed,
            cores=cores,
            base=base,
            seconds_per_payment=max(1e-3, (busy - base) / rate),
            latency=latency,
            contention=contention,
        )
        stage.detail = f"{rate:.0f} payments/s at most, {cores:.2f} cores"
    return capacity


async def _closed_loop(
    target: Target, clients: int, seconds: float, *, label: str, seed: int, speed: float, most: int | None
) -> list[float]:
    """Latencies of the payments that `clients` got acknowledged, each sending the next one when it has an answer."""
    load = LoadGenerator(target, ClientPolicy.of(speed=speed, rate=clients), payments(seed, label=label), rate=1)
    try:
        return await load.saturate(clients, seconds, most=most)
    finally:
        await load.close()
