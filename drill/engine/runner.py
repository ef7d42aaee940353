"""Runs a scenario against an environment under load and always rolls back its changes."""

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from drill.actions.faults import Flap, Lose
from drill.load.generator import Load
from drill.model import change
from drill.model.awaited import Awaited
from drill.model.change import Change, Surroundings
from drill.model.control_plane_calls import ControlCall
from drill.model.errors import ActionError, CouldNotStart, Inconclusive, ProbeError, WayBackIncomplete
from drill.model.expectation import Expectation, Gathers, Look, unmet
from drill.model.ledger_row import Row
from drill.model.scenario import Await, Scenario, SecondRun, Send, Settle, Step, Storm, TakeStock
from drill.observe.observer import Watched
from drill.observe.progress import Fault, Progress, Stage
from drill.observe.starvation import Starvation
from drill.runlog.entries import ActionBegun, ActionDone, Entry, Probe, WayBack

Done = TypeVar("Done")

_LOOK_SECONDS = 0.25
_REACH_SECONDS = 20.0  # for the offered rate to be reached, on a machine that is not starved
_STARVED = 0.3  # share of a wait; then this machine, and not the system, kept it from coming true
_UNDO_ATTEMPTS = 4
_UNDO_PAUSE_SECONDS = 0.3


class RunJournal(Protocol):
    """Where a run writes down what it does before it does it: `drill.runlog.log.Journal`."""

    def write(self, entry: Entry) -> None: ...


class NoJournal:
    def write(self, entry: Entry) -> None:
        """A rehearsal's environment ends with it, so nobody will have to restore it."""


@dataclass(frozen=True, kw_only=True)
class _Owed:
    """A change that was begun, and what takes it back."""

    action: str
    back: Change
    fault: Fault


class Runner:
    """One scenario. `load` is started here and goes on after `run`."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        around: Surroundings,
        load: Load,
        watched: Watched,
        progress: Progress,
        duration: float | None = None,
        journal: RunJournal | None = None,
        starvation: Starvation | None = None,
        impatient: Callable[[float], Load] | None = None,
    ) -> None:
        """`starvation` is this machine's, by its monotonic clock; waits last as much longer as it was starved.

        `impatient` makes the load of a storm, from a rate.
        """
        self.not_restored: str | None = None  # what the way back did not bring back, with the evidence
        self.blind: list[str] = []  # looks that failed
        self.awaited: list[Awaited] = []
        self.stock: dict[str, dict[str, Row]] = {}  # rows by region, as they were when stock was taken
        self.second_runs: list[dict[str, int]] = []
        self.calls_counted = False
        self.calls: list[ControlCall] = []  # while a region was away: to its control plane or an edge's
        self._scenario = scenario
        self._around = around
        self._speed = around.site.speed
        self._stretch = scenario.stretch(duration, self._speed)
        self._load = load
        self._watched = watched
        self._progress = progress
        self._journal = journal or NoJournal()
        self._starvation = starvation or Starvation()
        self._impatient = impatient
        self.storms: list[Load] = []  # their clients may still ask; whoever runs this waits for them and closes them
        self._owed: list[_Owed] = []
        self._actions = itertools.count(1)
        self._before: frozenset[str] | None = None

    async def run(self) -> None:
        """Raises CouldNotStart or Inconclusive before the first change, WayBackIncomplete when a change stays; else
        what broke."""
        self._load.start()
        missing = await self._reach_rate() or await self._settle(self._scenario.hypothesis)
        if missing:
            raise self._not_begun(f"the system did not reach a steady state: {missing}")
        try:
            for step in (*self._scenario.steps, self._scenario.hypothesis):
                await self._do(step)
        except BaseException:
            await self.undo()
            raise

    def _not_begun(self, why: str) -> CouldNotStart | Inconclusive:
        began = self._load.started or 0.0
        share = self._starved(began) / max(self._progress.now() - began, 1e-6)
        if share <= _STARVED:
            return CouldNotStart(why)
        return Inconclusive(
            f"{why}; this machine was starved of CPU for {share:.0%} of that time: end what else runs on it, or use a "
            f"lower SPEED= or RATE="
        )

    def _starved(self, since: float) -> float:
        """Seconds without a processor since a moment of the run."""
        progress = self._progress
        return self._starvation.within(progress.started + since, progress.started + progress.now())

    async def _reach_rate(self) -> str:
        """There is no steady state while the load still grows. Why it does not, or nothing."""
        with self._progress.stage("reach the offered rate") as stage:
            while self._load.offered < self._load.rate:
                if self._progress.now() - stage.at > _REACH_SECONDS + self._starved(stage.at):
                    recent = self._load.record.recent(self._progress.now(), self._progress.window)
                    stage.detail = (
                        f"of {self._load.rate:g} payments/s only {self._load.offered:.1f}/s could be offered: "
                        f"{recent.ok:.1f}/s accepted, {recent.failed:.1f}/s failed"
                    )
                    stage.outcome = "failed"
                    return stage.detail
                await self._look()
                await asyncio.sleep(_LOOK_SECONDS)
            stage.detail = f"{self._load.rate:g} payments/s"
        return ""

    async def settle(self, step: Settle) -> None:
        """Wait for `step`; what does not come true in time is remembered in `not_restored`."""
        if missing := await self._settle(step):
            self.not_restored = self.not_restored or f"{step.name}: {missing}"

    async def undo(self) -> None:
        """Take back what is still changed, the last change first. Raises WayBackIncomplete."""
        left = []
        for owed in reversed(list(self._owed)):
            for attempt in range(1, _UNDO_ATTEMPTS + 1):
                try:
                    await self._take_back(owed, owed.back)
                    break
                except ActionError as error:
                    if attempt == _UNDO_ATTEMPTS:
                        left.append(f"{owed.back.name}: {error}")
                    await asyncio.sleep(_UNDO_PAUSE_SECONDS)
        if left:
            raise WayBackIncomplete(f"left to do: {'; '.join(left)}")

    async def _do(self, step: Step) -> None:
        match step:
            case Send():
                await self._send(step)
            case Settle():
                await self.settle(step)
            case Await():
                await self._await(step)
            case TakeStock():
                await self._take_stock(step)
            case SecondRun():
                await self._run_again(step)
            case Storm():
                await self._storm(step)
            case _:
                await self._change(step)

    async def _change(self, step: Change) -> None:
        owed = next((each for each in reversed(self._owed) if each.back == step), None)
        if owed:
            await self._take_back(owed, step)
        else:
            await self._make(step)

    async def _make(self, step: Change) -> None:
        """What takes it back is written down and owed first: when the answer is lost, the change may have been made."""
        region = self._around.region(step.place) if step.place else None
        action, back = str(next(self._actions)), step.undo
        self._journal.write(
            ActionBegun(action=action, name=step.name, region=region, undo=change.plain(back) if back else None)
        )
        with self._progress.stage(step.name, region=region) as stage:
            if back is not None:
                owed = _Owed(action=action, back=back, fault=self._fault(step, region, stage.at))
                self._owed.append(owed)
            if isinstance(step, Lose):
                with self._blindly(stage):
                    await self._watched.mark_calls()
            try:
                stage.detail = await self._watching(step.do(self._around))
            except ActionError as error:
                self._journal.write(ActionDone(action=action, outcome="failed", detail=str(error)))
                raise
            self._journal.write(ActionDone(action=action, outcome="done", detail=stage.detail))
            if back is not None and getattr(step, "restores_itself", False):
                self._settled(owed, self._progress.now(), "")

    async def _take_back(self, owed: _Owed, step: Change) -> None:
        region = self._around.region(step.place) if step.place else None
        with self._progress.stage(step.name, region=region) as stage:
            if owed.fault.is_loss:
                with self._blindly(stage):
                    await self._count_calls(owed.fault)
            try:
                stage.detail = await self._watching(step.do(self._around))
            except ActionError as error:
                self._journal.write(WayBack(action=owed.action, outcome="failed", detail=str(error)))
                raise
            # From its beginning on, what was lost may have answered again.
            self._settled(owed, stage.at, stage.detail)

    def _settled(self, owed: _Owed, at: float, detail: str) -> None:
        owed.fault.ended_at = at
        self._owed.remove(owed)
        self._journal.write(WayBack(action=owed.action, outcome="done", detail=detail))

    def _fault(self, step: Change, region: str | None, at: float) -> Fault:
        kind = str(step.kind or self._around.kind) if isinstance(step, Lose) else type(step).__name__.lower()
        fault = Fault(name=step.name, region=region, kind=kind, at=at, is_loss=isinstance(step, Lose | Flap))
        self._progress.faults.append(fault)
        return fault

    async def _count_calls(self, fault: Fault) -> None:
        """What was called while the region was away, before it is back."""
        self.calls += [call for call in await self._watched.calls() if call.region == fault.region or call.is_edge]
        self.calls_counted = True

    @contextmanager
    def _blindly(self, stage: Stage) -> Iterator[None]:
        """What cannot be looked at is remembered, and the run goes on: its verdict says what was not seen."""
        try:
            yield
        except ProbeError as error:
            stage.outcome, stage.detail = "failed", str(error)
            self.blind.append(f"at {self._progress.now():.1f} s {error}")

    async def _watching(self, work: Coroutine[Any, Any, Done]) -> Done:
        """Look on while something is done; what is quick is not looked at."""
        doing = asyncio.create_task(work)
        try:
            while not (await asyncio.wait({doing}, timeout=_LOOK_SECONDS))[0]:
                await self._look()
            return doing.result()
        finally:
            doing.cancel()

    async def _send(self, step: Send) -> None:
        with self._progress.stage(step.name) as stage:
            before = len(self._load.record.attempts)
            end = stage.at + step.shortest(self._speed) * self._stretch
            while (left := end - self._progress.now()) > 0:
                await self._look()
                await asyncio.sleep(min(_LOOK_SECONDS, max(0.0, left)))
            attempts = self._load.record.attempts[before:]
            failed = sum(not attempt.ok for attempt in attempts)
            stage.detail = f"{len(attempts) - failed} requests accepted, {failed} failed"

    async def _storm(self, step: Storm) -> None:
        assert self._impatient is not None, "a storm needs clients"
        with self._progress.stage(step.name) as stage:
            fault = Fault(name=step.name, region=None, kind="overload", at=stage.at)
            self._progress.faults.append(fault)
            await self._around.faults.recycle_workers()
            storm = self._impatient(step.times * self._load.rate)
            self.storms.append(storm)
            storm.start()
            end = self._progress.now() + step.seconds
            while (left := end - self._progress.now()) > 0:
                await self._look()
                await asyncio.sleep(min(_LOOK_SECONDS, max(0.0, left)))
            await storm.stop()
            fault.ended_at = self._progress.now()
            record = storm.record
            stage.detail = (
                f"{storm.rate:g}/s more: {len(record.acknowledged)} of {len(record.intents)} accepted "
                f"with {len(record.attempts)} attempts"
            )

    async def _await(self, step: Await) -> None:
        started = self._progress.now()
        missing = await self._settle(step)
        self.awaited.append(
            Awaited(
                name=step.name,
                limit=step.longest(self._speed),
                seconds=self._progress.now() - started,
                met=not missing,
                at=started,
                evidence=missing or self._progress.stages[-1].detail,
            )
        )

    async def _take_stock(self, step: TakeStock) -> None:
        region = self._around.region(step.place)
        with self._progress.stage(step.name, region=region) as stage, self._blindly(stage):
            self.stock[region] = await self._watched.rows(self._progress.status, region)
            stage.detail = f"{len(self.stock[region])} rows"

    async def _run_again(self, step: SecondRun) -> None:
        with self._progress.stage(step.name) as stage, self._blindly(stage):
            found = await self._watching(self._watched.second_run())
            self.second_runs.append(found)
            stage.detail = ", ".join(f"{stack} {count} changes" for stack, count in found.items())

    async def _settle(self, step: Settle | Await) -> str:
        """What still does not hold after the step's time; empty if all does."""
        with self._progress.stage(step.name) as stage:
            end = stage.at + step.longest(self._speed)
            while True:
                look = await self._look(step.until)
                missing = unmet(step.until, look) if look else ["the system could not be looked at"]
                if not missing:
                    stage.detail = "; ".join(expectation.check(look).evidence for expectation in step.until if look)
                    self._journal.write(Probe(step=step.name, met=True, evidence=stage.detail))
                    return ""
                stage.detail = "waiting: " + "; ".join(missing)
                if self._progress.now() >= end + self._starved(stage.at):
                    stage.detail = "not reached: " + "; ".join(missing)
                    stage.outcome = "failed"
                    self._journal.write(Probe(step=step.name, met=False, evidence="; ".join(missing)))
                    return "; ".join(missing)
                await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self, until: tuple[Expectation, ...] = ()) -> Look | None:
        self._load.refuse_broken()
        progress = self._progress
        try:
            status = await self._watched.status()
        except ProbeError as error:
            self.blind.append(f"at {progress.now():.1f} s {error}")
            return None
        progress.saw(status)
        if self._before is None:
            self._before = frozenset(run.name for run in status.workflows)
        acknowledged = sum(len(each.record.acknowledged) for each in (self._load, *self.storms))
        posted = None
        if any(getattr(expectation, "needs_ledger", False) for expectation in until):
            try:
                posted = await self._watched.posted(status)
            except ProbeError:
                posted = None  # the expectation says so itself
        return Look(
            status=status,
            recent=self._load.record.recent(progress.now(), progress.window),
            rate=self._load.offered,
            regions=self._around.site.regions,
            speed=self._speed,
            acknowledged=acknowledged,
            posted=posted,
            before=self._before,
            at=time.time(),
            gathered=await self._gather(until),
        )

    async def _gather(self, until: tuple[Expectation, ...]) -> dict[str, Any]:
        """What expectations ask for themselves. Of what does not answer nothing is known, and they say so."""
        found = {}
        for expectation in until:
            if isinstance(expectation, Gathers):
                try:
                    found[expectation.statement] = await asyncio.to_thread(expectation.gather, self._around.site)
                except ProbeError as error:
                    self._progress.line(f"{expectation.statement}: {error}")
        return found
