"""Runs the steps of a scenario against an environment under load, and always rolls back its changes."""

import asyncio
import itertools
import re
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from drill.actions.faults import Fault, FlapRegion
from drill.engine.crowds import Crowds, Flooding, Impatient
from drill.load.generator import LoadGenerator
from drill.model import context
from drill.model.context import Change, DrillContext
from drill.model.errors import ActionError, CouldNotStart, Inconclusive, ProbeError, RollbackIncomplete
from drill.model.expectation import Expectation, Gathers, Observation, unmet
from drill.model.scenario import Flood, Load, Scenario, SecondRun, SnapshotLedger, Step, Storm, WaitFor
from drill.observe.observer import Instrumented, Observer
from drill.observe.progress import FaultPeriod, Progress, Stage
from drill.runlog.entries import ActionBegun, ActionDone, EntryWriter, Probe, RolledBack
from drill.verdict.result import Awaited, RunResult

Done = TypeVar("Done")

_POLL_SECONDS = 0.25
_REACH_SECONDS = 20.0  # for the offered rate to be reached, on a machine that is not starved
_STARVED = 0.3  # share of a wait; then this machine, and not the system, is the reason for a timeout
_ROLLBACK_ATTEMPTS = 4
_ROLLBACK_PAUSE_SECONDS = 0.3


@dataclass(frozen=True, kw_only=True)
class _Pending:
    """A change that was begun, and its rollback."""

    action: str
    rollback: Change
    fault: FaultPeriod


class Runner:
    """The steps of one scenario. `load` is started here and continues after `run`; `result` gets what was measured."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        ctx: DrillContext,
        load: LoadGenerator,
        observer: Observer,
        progress: Progress,
        result: RunResult,
        run_log: EntryWriter,
        duration: float | None = None,
        impatient: Impatient | None = None,
        flooding: Flooding | None = None,
    ) -> None:
        """Waits last as much longer as this machine was starved, by `result.starvation`. `impatient` and `flooding`
        make the loads of storms and floods."""
        self._crowds = Crowds(
            ctx=ctx,
            load=load,
            progress=progress,
            observe_until=self._observe_until,
            impatient=impatient,
            flooding=flooding,
        )
        self.storms = self._crowds.loads  # the caller drains and closes them
        self._scenario = scenario
        self._ctx = ctx
        self._speed = ctx.deployment.speed
        self._stretch = scenario.stretch(duration, self._speed)
        self._load, self._observer = load, observer
        self._progress, self._result, self._run_log = progress, result, run_log
        self._pending: list[_Pending] = []
        self._actions = itertools.count(1)
        self._before: frozenset[str] | None = None

    async def run(self) -> None:
        """Raises CouldNotStart or Inconclusive before the first change, RollbackIncomplete when a change stays; else
        what broke."""
        self._load.start()
        missing = await self._reach_rate() or await self._wait(self._scenario.hypothesis)
        if missing:
            raise self._not_started(f"the system did not reach a steady state: {missing}")
        try:
            for step in (*self._scenario.steps, self._scenario.hypothesis):
                await self._do(step)
        except BaseException:
            await self.roll_back()
            raise

    async def wait_for(self, step: WaitFor) -> None:
        started = self._progress.now()
        missing = await self._wait(step)
        if step.on_timeout == "rollback":
            if missing:
                self._result.not_restored = self._result.not_restored or f"{step.name}: {missing}"
            return
        self._result.awaited.append(
            Awaited(
                name=step.name,
                limit=step.longest(self._speed),
                seconds=self._progress.now() - started,
                met=not missing,
                at=started,
                evidence=missing or self._progress.stages[-1].detail,
            )
        )

    async def roll_back(self) -> None:
        """Roll back what is still changed, the last change first. Raises RollbackIncomplete."""
        left = []
        for pending in reversed(self._pending.copy()):
            for attempt in range(1, _ROLLBACK_ATTEMPTS + 1):
                try:
                    await self._take_back(pending, pending.rollback)
                    break
                except ActionError as error:
                    if attempt == _ROLLBACK_ATTEMPTS:
                        left.append(f"{pending.rollback.name}: {error}")
                    await asyncio.sleep(_ROLLBACK_PAUSE_SECONDS)
        if left:
            raise RollbackIncomplete(f"left to do: {'; '.join(left)}")

    def _not_started(self, why: str) -> CouldNotStart | Inconclusive:
        began = self._load.started or 0.0
        share = self._result.starved_share(began, self._progress.now())
        if share <= _STARVED:
            return CouldNotStart(why)
        return Inconclusive(
            f"{why}; this machine was starved of CPU for {share:.0%} of that time: stop other programs, or use a lower "
            f"SPEED= or RATE="
        )

    async def _reach_rate(self) -> str:
        """There is no steady state while the load still grows. Why it does not, or nothing."""
        with self._progress.stage("reach the offered rate") as stage:
            while self._load.offered < self._load.rate:
                now = self._progress.now()
                if now - stage.at > _REACH_SECONDS + self._result.starved(stage.at, now):
                    recent = self._load.record.recent(now, self._progress.window)
                    stage.detail = (
                        f"of {self._load.rate:g} payments/s only {self._load.offered:.1f}/s could be offered: "
                        f"{recent.ok:.1f}/s accepted, {recent.failed:.1f}/s failed"
                    )
                    stage.outcome = "failed"
                    return stage.detail
                await self._observe()
                await asyncio.sleep(_POLL_SECONDS)
            stage.detail = f"{self._load.rate:g} payments/s"
        return ""

    async def _do(self, step: Step) -> None:
        match step:
            case Load():
                await self._keep_load(step)
            case WaitFor():
                await self.wait_for(step)
            case SnapshotLedger():
                await self._snapshot_ledger(step)
            case SecondRun():
                await self._run_again(step)
            case Storm():
                await self._crowds.storm(step)
            case Flood():
                self._result.rejected_flood = await self._crowds.flood(step)
            case _:
                await self._change(step)

    async def _change(self, step: Change) -> None:
        pending = next((each for each in reversed(self._pending) if each.rollback == step), None)
        if pending:
            await self._take_back(pending, step)
        else:
            await self._make(step)

    async def _make(self, step: Change) -> None:
        """The rollback is logged and pending first: when the answer is lost, the change may have been made."""
        region = self._ctx.region(step.place) if step.place else None
        action, rollback = str(next(self._actions)), step.rollback
        plain = context.plain(rollback) if rollback else None
        self._run_log.write(ActionBegun(action=action, name=step.name, region=region, rollback=plain))
        with self._progress.stage(step.name, region=region) as stage:
            if rollback is not None:
                pending = _Pending(action=action, rollback=rollback, fault=self._fault(step, region, stage.at))
                self._pending.append(pending)
                if isinstance(step, Fault) and step.is_loss:
                    with self._unobserved(stage):
                        await self._instruments.mark_calls()
            try:
                stage.detail = await self._observing(step.do(self._ctx))
            except ActionError as error:
                self._run_log.write(ActionDone(action=action, outcome="failed", detail=str(error)))
                raise
            self._run_log.write(ActionDone(action=action, outcome="done", detail=stage.detail))
            if rollback is not None and getattr(step, "restores_itself", False):
                self._rolled_back(pending, self._progress.now(), "")

    async def _take_back(self, pending: _Pending, step: Change) -> None:
        region = self._ctx.region(step.place) if step.place else None
        with self._progress.stage(step.name, region=region) as stage:
            if pending.fault.is_loss:
                with self._unobserved(stage):
                    await self._count_calls(pending.fault)
            try:
                stage.detail = await self._observing(step.do(self._ctx))
            except ActionError as error:
                self._run_log.write(RolledBack(action=pending.action, outcome="failed", detail=str(error)))
                raise
            # From its beginning on, what was lost may have answered again.
            self._rolled_back(pending, stage.at, stage.detail)

    def _rolled_back(self, pending: _Pending, at: float, detail: str) -> None:
        pending.fault.ended_at = at
        self._pending.remove(pending)
        self._run_log.write(RolledBack(action=pending.action, outcome="done", detail=detail))

    def _fault(self, step: Change, region: str | None, at: float) -> FaultPeriod:
        slug = re.sub(r"\B(?=[A-Z])", "-", type(step).__name__).lower()
        kind = step.kind(self._ctx) if isinstance(step, Fault) else slug
        is_loss = step.is_loss if isinstance(step, Fault) else isinstance(step, FlapRegion)
        fault = FaultPeriod(name=step.name, region=region, kind=kind, at=at, is_loss=is_loss)
        self._progress.faults.append(fault)
        return fault

    @property
    def _instruments(self) -> Instrumented:
        if isinstance(self._observer, Instrumented):
            return self._observer
        raise ProbeError("only the embedded AWS counts calls, opens every ledger and runs the stack programs again")

    async def _count_calls(self, fault: FaultPeriod) -> None:
        """The calls while the region was down, read before it is back."""
        calls = await self._instruments.calls()
        self._result.control_calls += [call for call in calls if call.region == fault.region or call.is_edge]
        self._result.calls_counted = True

    @contextmanager
    def _unobserved(self, stage: Stage) -> Iterator[None]:
        """Keep an observation that failed for the verdict, and let the run go on."""
        try:
            yield
        except ProbeError as error:
            stage.outcome, stage.detail = "failed", str(error)
            self._result.unobserved.append(f"at {self._progress.now():.1f} s {error}")

    async def _observing(self, work: Coroutine[Any, Any, Done]) -> Done:
        """Observe the system while `work` takes longer than an interval."""
        doing = asyncio.create_task(work)
        try:
            while not (await asyncio.wait({doing}, timeout=_POLL_SECONDS))[0]:
                await self._observe()
            return doing.result()
        finally:
            doing.cancel()

    async def _observe_until(self, end: float) -> None:
        while (left := end - self._progress.now()) > 0:
            await self._observe()
            await asyncio.sleep(min(_POLL_SECONDS, max(0.0, left)))

    async def _keep_load(self, step: Load) -> None:
        with self._progress.stage(step.name) as stage:
            before = len(self._load.record.attempts)
            await self._observe_until(stage.at + step.shortest(self._speed) * self._stretch)
            attempts = self._load.record.attempts[before:]
            failed = sum(not attempt.ok for attempt in attempts)
            stage.detail = f"{len(attempts) - failed} requests accepted, {failed} failed"

    async def _snapshot_ledger(self, step: SnapshotLedger) -> None:
        region = self._ctx.region(step.place)
        with self._progress.stage(step.name, region=region) as stage, self._unobserved(stage):
            rows = await self._instruments.rows(self._progress.status, region)
            self._result.ledger_snapshots[region] = rows
            stage.detail = f"{len(rows)} rows"

    async def _run_again(self, step: SecondRun) -> None:
        with self._progress.stage(step.name) as stage, self._unobserved(stage):
            found = await self._observing(self._instruments.second_run())
            self._result.second_runs.append(found)
            stage.detail = ", ".join(f"{stack} {len(changes)} changes" for stack, changes in found.items())

    async def _wait(self, step: WaitFor) -> str:
        """The expectations that do not hold after the step's time, each with its evidence; empty if all do."""
        with self._progress.stage(step.name) as stage:
            end = stage.at + step.longest(self._speed)
            while True:
                observed = await self._observe(step.until)
                missing = unmet(step.until, observed) if observed else ["the system could not be observed"]
                if not missing and observed:
                    stage.detail = "; ".join(expectation.check(observed).evidence for expectation in step.until)
                    self._run_log.write(Probe(step=step.name, met=True, evidence=stage.detail))
                    return ""
                stage.detail = "waiting: " + "; ".join(missing)
                now = self._progress.now()
                if now >= end + self._result.starved(stage.at, now):
                    stage.detail = "not reached: " + "; ".join(missing)
                    stage.outcome = "failed"
                    self._run_log.write(Probe(step=step.name, met=False, evidence="; ".join(missing)))
                    return "; ".join(missing)
                await asyncio.sleep(_POLL_SECONDS)

    async def _observe(self, until: tuple[Expectation, ...] = ()) -> Observation | None:
        self._load.refuse_broken()
        progress = self._progress
        try:
            status = await self._observer.status()
        except ProbeError as error:
            self._result.unobserved.append(f"at {progress.now():.1f} s {error}")
            return None
        progress.saw(status)
        if self._before is None:
            self._before = frozenset(run.name for run in status.workflows)
        posted = None
        if any(getattr(expectation, "needs_ledger", False) for expectation in until):
            with suppress(ProbeError):  # the expectation's evidence names it
                posted = await self._observer.posted(status)
        return Observation(
            status=status,
            recent=self._load.record.recent(progress.now(), progress.window),
            rate=self._load.offered,
            regions=self._ctx.deployment.regions,
            speed=self._speed,
            acknowledged=sum(len(each.record.acknowledged) for each in (self._load, *self.storms)),
            posted=posted,
            before=self._before,
            at=time.time(),
            gathered=await self._gather(until),
        )

    async def _gather(self, until: tuple[Expectation, ...]) -> dict[str, Any]:
        """Readings that expectations take from AWS themselves; the evidence names one that failed."""
        found = {}
        for expectation in until:
            if isinstance(expectation, Gathers):
                try:
                    found[expectation.statement] = await asyncio.to_thread(expectation.gather, self._ctx.deployment)
                except ProbeError as error:
                    self._progress.line(f"{expectation.statement}: {error}")
        return found
