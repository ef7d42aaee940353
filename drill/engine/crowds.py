"""Loads beside a scenario's own: storms of impatient clients, and floods of requests onto one region."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from drill.load.generator import LoadGenerator
from drill.model.context import DrillContext
from drill.model.scenario import Flood, Storm
from drill.observe.progress import FaultPeriod, Progress

Impatient = Callable[[float], LoadGenerator]
"""The load of a storm, from its rate."""

Flooding = Callable[[Flood, bool, float], LoadGenerator]
"""The load of a flood, whether its requests have a client key, and its rate."""


class Crowds:
    """`loads` are those started so far; the caller drains and closes them."""

    def __init__(
        self,
        *,
        ctx: DrillContext,
        load: LoadGenerator,
        progress: Progress,
        observe_until: Callable[[float], Awaitable[None]],
        impatient: Impatient | None,
        flooding: Flooding | None,
    ) -> None:
        self.loads: list[LoadGenerator] = []
        self._ctx, self._load, self._progress = ctx, load, progress
        self._observe_until = observe_until
        self._impatient, self._flooding = impatient, flooding

    async def storm(self, step: Storm) -> None:
        assert self._impatient is not None, "a storm needs clients"
        with self._progress.stage(step.name) as stage:
            fault = FaultPeriod(name=step.name, region=None, kind="overload", at=stage.at)
            self._progress.faults.append(fault)
            await self._ctx.faults.recycle_workers()
            storm = self._impatient(step.times * self._load.rate)
            await self._offer(storm, step.seconds)
            fault.ended_at = self._progress.now()
            accepted, offered = len(storm.record.acknowledged), len(storm.record.intents)
            attempts = len(storm.record.attempts)
            stage.detail = f"{storm.rate:g}/s more: {accepted} of {offered} accepted with {attempts} attempts"

    async def flood(self, step: Flood) -> int:
        """The number of its requests that got a server error, beyond the concurrency of the workload."""
        assert self._flooding is not None, "a flood needs clients"
        region = self._ctx.region(step.place)
        rejected = 0
        with self._progress.stage(step.name, region=region) as stage:
            fault = FaultPeriod(name=step.name, region=region, kind="overload", at=stage.at)
            self._progress.faults.append(fault)
            details = []
            for with_keys in (False, True):
                flood = self._flooding(step, with_keys, step.times * self._load.rate)
                await self._offer(flood, step.aws_seconds / 2 / self._ctx.deployment.speed)
                errors = sum(
                    each.status is not None and each.status >= HTTPStatus.INTERNAL_SERVER_ERROR
                    for each in flood.record.attempts
                )
                rejected += errors
                record, keys = flood.record, "with" if with_keys else "without"
                details.append(
                    f"{flood.rate:g}/s {keys} keys: {len(record.attempts)} requests, "
                    f"{len(record.acknowledged)} accepted, {errors} rejected, {record.shed} not sent"
                )
            fault.ended_at = self._progress.now()
            stage.detail = "; ".join(details)
        return rejected

    async def _offer(self, load: LoadGenerator, seconds: float) -> None:
        self.loads.append(load)
        load.start()
        await self._observe_until(self._progress.now() + seconds)
        await load.stop()
