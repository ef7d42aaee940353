"""Rehearsals: start the embedded AWS, run one scenario or several on it, report, stop it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from drill.engine.environment import DeployedEnvironment
from drill.engine.local_environment import running
from drill.engine.run import Run
from drill.model.errors import CouldNotStart, Inconclusive, ProbeError, RollbackIncomplete
from drill.model.expectation import Observation
from drill.model.objectives import NoTakeOver
from drill.observe import local
from drill.observe.progress import Progress
from drill.probes.recovery import CooledDown
from drill.report import files
from drill.report.model import Report
from drill.runlog import log
from drill.runlog.log import RunLog
from drill.scenarios.settings import RehearsalSettings
from drill.verdict import verdict
from shared.local_aws import Engine


async def rehearse(settings: RehearsalSettings, progress: Progress, *, command: Sequence[str] | None = None) -> Report:
    """Writes the report into the run's folder. `command` starts another AWS than the embedded one.

    Raises CouldNotStart, Inconclusive, and RollbackIncomplete when a change could not be rolled back.
    """
    with _new_run_log(settings) as run_log:
        async with running(
            environment=settings.environment,
            speed=settings.speed,
            directory=settings.folder / "local",
            progress=progress,
            nlb_tail=settings.nlb_tail,
            engine=settings.engine,
            command=command,
        ) as environment:
            settings = await environment.calibrate(settings, progress)
            run = Run(settings=settings, environment=environment, progress=progress, run_log=run_log)
            result = await run.perform()
        return run.report(result)


@contextmanager
def _new_run_log(settings: RehearsalSettings) -> Iterator[RunLog]:
    """A new log in place of an earlier rehearsal's, whose report is removed too. Raises RunLogError."""
    files.remove(settings.folder)
    (settings.folder / log.NAME).unlink(missing_ok=True)
    with RunLog.open(settings.folder) as run_log:
        yield run_log


class Series:
    """Several scenarios in a row on one environment."""

    def __init__(self, environment: DeployedEnvironment) -> None:
        self._environment = environment

    async def rehearse(self, settings: RehearsalSettings, progress: Progress) -> Report:
        """Like `rehearse`. Processes that are left behind show only at the end."""
        with _new_run_log(settings) as run_log:
            settings = await self._environment.calibrate(settings, progress)
            await self._cool_down(settings, progress)
            run = Run(settings=settings, environment=self._environment, progress=progress, run_log=run_log)
            return run.report(await run.perform())

    @property
    def speed(self) -> float:
        """AWS seconds in one of this machine, at which the environment runs now."""
        return self._environment.speed

    @property
    def left_behind(self) -> Sequence[str]:
        """Processes that had to be killed, once the environment has ended."""
        return self._environment.left_behind

    async def cooling(self, settings: RehearsalSettings) -> float:
        """For how many seconds a sentinel would not act yet, if the scenario is to see it act. Raises CouldNotStart."""
        if isinstance(settings.scenario.objectives.take_over, NoTakeOver):
            return 0.0
        deployment = self._environment.deployment
        assert deployment.local is not None
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            try:
                status = await local.status(client, deployment.local.control)
            except ProbeError as error:
                raise CouldNotStart(str(error)) from error
        speed = self._environment.speed
        observed = Observation(status=status, speed=speed, at=datetime.now(UTC).timestamp())
        return CooledDown().left(observed) / speed

    async def _cool_down(self, settings: RehearsalSettings, progress: Progress) -> None:
        if (left := await self.cooling(settings)) > 0:
            with progress.stage("wait for the sentinels' cool-down"):
                await asyncio.sleep(left)


@asynccontextmanager
async def series(
    *,
    environment: str,
    speed: float,
    directory: Path,
    progress: Progress,
    nlb_tail: float = 0.0,
    engine: Engine = Engine.LOCALAWS,
    command: Sequence[str] | None = None,
) -> AsyncIterator[Series]:
    """An environment that several scenarios use. Raises CouldNotStart."""
    async with running(
        environment=environment,
        speed=speed,
        directory=directory,
        progress=progress,
        nlb_tail=nlb_tail,
        engine=engine,
        command=command,
    ) as found:
        yield Series(found)


# Every scenario, one after the other. One environment serves as many as leave it as they found it.


_START_SECONDS = {Engine.LOCALAWS: 20.0, Engine.PULUMI: 120.0}
"""About what another environment takes; to wait longer for a cool-down is a waste."""

View = Callable[[Progress], AbstractContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of one scenario: its report, or the reason that there is none."""

    scenario: str
    seconds: float
    seed: int = 0
    report: Report | None = None
    why: str = ""
    without_report: int = 2  # exit status where there is no report

    @property
    def status(self) -> int:
        """As the exit status of that rehearsal alone."""
        return self.without_report if self.report is None else verdict.exit_status(self.report.checks)

    @property
    def may_pass_slower(self) -> bool:
        """Whether a run at a lower speed may show more, as `verdict.may_pass_slower` has it."""
        if self.report is None:
            return self.without_report == verdict.INCONCLUSIVE
        return verdict.may_pass_slower(self.report.checks)


_WORST = (3, 1, 2, verdict.INCONCLUSIVE)


def worst(statuses: Iterable[int]) -> int:
    """Of several exit statuses the one that needs a person's attention first."""
    found = set(statuses)
    return next((status for status in _WORST if status in found), 0)


async def rehearse_all(
    chosen: Sequence[RehearsalSettings],
    view: View,
    *,
    outcomes: list[Outcome] | None = None,
    is_fresh: bool = False,
    command: Sequence[str] | None = None,
) -> list[Outcome]:
    """`chosen` differ in their scenarios and seeds only. `view` shows each one's progress while it lasts. `outcomes`,
    which is returned, gets each outcome when it is known. `is_fresh`: each has an environment of its own."""
    outcomes = [] if outcomes is None else outcomes
    left = iter(chosen)
    waiting = next(left, None)
    while waiting is not None:
        waiting = await _on_one_environment(waiting, left, view, outcomes, is_fresh=is_fresh, command=command)
    return outcomes


async def _on_one_environment(
    first: RehearsalSettings,
    left: Iterator[RehearsalSettings],
    view: View,
    outcomes: list[Outcome],
    *,
    is_fresh: bool,
    command: Sequence[str] | None,
) -> RehearsalSettings | None:
    """Rehearse until a scenario does not end as expected, or another environment is there sooner than this one's
    sentinels would act again; the next one to be rehearsed, the same again where a lower speed may show more."""
    starting, longest = Progress(title="start"), _START_SECONDS[first.engine]
    settings: RehearsalSettings | None = first
    async with AsyncExitStack() as stack:
        try:
            with view(starting):
                open_series = await stack.enter_async_context(
                    series(
                        environment=first.environment,
                        speed=first.speed,
                        directory=first.output / "local",
                        progress=starting,
                        nlb_tail=first.nlb_tail,
                        engine=first.engine,
                        command=command,
                    )
                )
        except CouldNotStart as error:
            outcomes.append(
                Outcome(scenario=first.scenario.name, seed=first.seed, seconds=starting.now(), why=str(error))
            )
            return next(left, None)
        while settings is not None:
            outcome = await _one(open_series, settings, view)
            if outcome.may_pass_slower and settings.may_slow_down:
                settings = settings.at_half_speed(open_series.speed, outcome.why or _first_broken(outcome))
                break  # on an environment that the first run left nothing behind in
            outcomes.append(outcome)
            settings = next(left, None)
            # What was not as expected may have left the environment otherwise than it was.
            if is_fresh or outcome.status != 0 or (settings and await open_series.cooling(settings) > longest):
                break
    if open_series.left_behind:
        why = f"processes were left behind: {', '.join(open_series.left_behind)}"
        outcomes.append(Outcome(scenario="end of an environment", seconds=0.0, why=why, without_report=3))
    return settings


def _first_broken(outcome: Outcome) -> str:
    return (outcome.report and outcome.report.first_broken) or ""


async def _one(open_series: Series, settings: RehearsalSettings, view: View) -> Outcome:
    progress = Progress(title=settings.scenario.title)
    about: dict[str, Any] = {"scenario": settings.scenario.name, "seed": settings.seed}
    try:
        with view(progress):
            report = await open_series.rehearse(settings, progress)
    except CouldNotStart as error:
        return Outcome(**about, seconds=progress.now(), why=str(error))
    except RollbackIncomplete as error:
        return Outcome(**about, seconds=progress.now(), why=str(error), without_report=3)
    except Inconclusive as error:
        return Outcome(**about, seconds=progress.now(), why=str(error), without_report=verdict.INCONCLUSIVE)
    return Outcome(**about, seconds=progress.now(), report=report)
