"""Does a scenario to an environment under load. What was changed is changed back, whatever happens on the way."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from drill.actions import ActionError, FaultInjector, Heal, Lose, OutageKind
from drill.load import Load
from drill.probes import Look, ProbeError, Status, unmet
from drill.progress import Outage, Progress
from drill.scenario import Scenario, Send, Settle, Step
from shared.places import Place

_LOOK_SECONDS = 0.25
_HEAL_ATTEMPTS = 4
_HEAL_PAUSE_SECONDS = 0.3


class CouldNotStart(RuntimeError):
    """The run never reached its first change, so it says nothing about the system."""


class WayBackIncomplete(RuntimeError):
    """Something was changed and could not be changed back. The message says what is left to do."""


class Runner:
    """One scenario. `look` asks the system for its status; `load` is started here and goes on after `run`."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        regions: Mapping[Place, str],
        kind: OutageKind,
        duration: float,
        speed: float,
        load: Load,
        faults: FaultInjector,
        look: Callable[[], Awaitable[Status]],
        progress: Progress,
    ) -> None:
        self.not_restored: str | None = None  # what the way back did not bring back, with the evidence
        self.blind: list[str] = []  # looks that failed
        self._scenario = scenario
        self._regions = dict(regions)
        self._kind = kind
        self._duration = duration
        self._speed = speed
        self._load = load
        self._faults = faults
        self._ask = look
        self._progress = progress
        self._lost: set[Place] = set()

    async def run(self) -> None:
        """Raises CouldNotStart before the first change, WayBackIncomplete when a region stays lost; else what broke."""
        self._load.start()
        if missing := await self._settle(self._scenario.hypothesis):
            raise CouldNotStart(f"there was no steady state to disturb: {missing}")
        try:
            for step in (*self._scenario.method, *self._scenario.way_back, self._scenario.hypothesis):
                await self._do(step)
        except BaseException:
            await self._undo()
            raise

    async def settle(self, step: Settle) -> None:
        """Wait for `step`; what does not come true in time is remembered in `not_restored`."""
        if missing := await self._settle(step):
            self.not_restored = self.not_restored or f"{step.name}: {missing}"

    async def _do(self, step: Step) -> None:
        match step:
            case Send():
                await self._send(step)
            case Settle():
                await self.settle(step)
            case Lose():
                await self._lose(step)
            case Heal():
                await self._heal(step)

    async def _lose(self, step: Lose) -> None:
        region = self._regions[step.place]
        with self._progress.stage(step.name, region=region) as stage:
            self._lost.add(step.place)  # also when the answer is lost: healing a healthy region does no harm
            self._progress.outage = Outage(region=region, kind=self._kind, at=self._progress.now())
            await self._faults.lose(region, self._kind)
            stage.detail = f"kind {self._kind}"

    async def _heal(self, step: Heal) -> None:
        region = self._regions[step.place]
        with self._progress.stage(step.name, region=region) as stage:
            await self._faults.heal(region)
            self._lost.discard(step.place)
            if self._progress.outage:
                self._progress.outage.healed_at = stage.at  # from here on the region may answer again

    async def _undo(self) -> None:
        for step in [Heal(place) for place in sorted(self._lost)]:
            for attempt in range(1, _HEAL_ATTEMPTS + 1):
                try:
                    await self._heal(step)
                    break
                except ActionError as error:
                    if attempt == _HEAL_ATTEMPTS:
                        region = self._regions[step.place]
                        raise WayBackIncomplete(f"{region} is still lost; heal it: {error}") from error
                    await asyncio.sleep(_HEAL_PAUSE_SECONDS)

    async def _send(self, step: Send) -> None:
        with self._progress.stage(step.name) as stage:
            before = len(self._load.record.attempts)
            end = stage.at + step.share * self._duration
            while (left := end - self._progress.now()) > 0:
                await self._look()
                await asyncio.sleep(min(_LOOK_SECONDS, left))
            attempts = self._load.record.attempts[before:]
            failed = sum(not attempt.ok for attempt in attempts)
            stage.detail = f"{len(attempts) - failed} requests accepted, {failed} failed"

    async def _settle(self, step: Settle) -> str:
        """What still does not hold after the step's time; empty if all does."""
        with self._progress.stage(step.name) as stage:
            end = stage.at + step.longest(self._speed)
            while True:
                look = await self._look()
                missing = unmet(step.until, look) if look else ["the system could not be looked at"]
                if not missing:
                    stage.detail = "; ".join(expectation.check(look).evidence for expectation in step.until if look)
                    return ""
                stage.detail = "waiting: " + "; ".join(missing)
                if self._progress.now() >= end:
                    stage.detail = "not reached: " + "; ".join(missing)
                    stage.outcome = "failed"
                    return "; ".join(missing)
                await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self) -> Look | None:
        self._load.refuse_broken()
        try:
            self._progress.status = await self._ask()
        except ProbeError as error:
            self.blind.append(f"at {self._progress.now():.1f} s {error}")
            return None
        recent = self._load.record.recent(self._progress.now(), self._progress.window)
        return Look(status=self._progress.status, recent=recent, rate=self._load.offered, regions=self._regions)
