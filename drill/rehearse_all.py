"""Every scenario, one after the other. One environment serves as many as leave it as they found it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass

from drill import rehearse, verdict
from drill.progress import Progress
from drill.report.model import Report
from drill.runner import CouldNotStart, WayBackIncomplete
from drill.settings import RehearsalSettings

_START_SECONDS = 20.0
"""About what another environment takes; to wait longer for a cool-down is a waste."""

View = Callable[[Progress], AbstractContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one scenario: its report, or why there is none."""

    scenario: str
    seconds: float
    report: Report | None = None
    why: str = ""
    way_back_incomplete: bool = False

    @property
    def status(self) -> int:
        """As the exit status of that rehearsal alone."""
        if self.report is not None:
            return verdict.exit_status(self.report.checks)
        return 3 if self.way_back_incomplete else 2


async def rehearse_all(
    chosen: Sequence[RehearsalSettings], view: View, *, command: Sequence[str] | None = None
) -> list[Outcome]:
    """`chosen` differ in their scenarios, seeds and speeds only. `view` shows each one's progress while it lasts."""
    outcomes: list[Outcome] = []
    left = iter(chosen)
    waiting = next(left, None)
    while waiting is not None:
        waiting = await _on_one_environment(waiting, left, view, outcomes, command)
    return outcomes


async def _on_one_environment(
    first: RehearsalSettings,
    left: Iterator[RehearsalSettings],
    view: View,
    outcomes: list[Outcome],
    command: Sequence[str] | None,
) -> RehearsalSettings | None:
    """Rehearse until a scenario leaves the environment in disorder, or another environment is there sooner than this
    one's sentinels would act again; the next one to be rehearsed."""
    starting = Progress(title="start")
    settings: RehearsalSettings | None = first
    async with AsyncExitStack() as stack:
        try:
            with view(starting):
                series = await stack.enter_async_context(
                    rehearse.series(
                        environment=first.environment,
                        speed=first.speed,
                        directory=first.output / "local",
                        progress=starting,
                        command=command,
                    )
                )
        except CouldNotStart as error:
            outcomes.append(Outcome(scenario=first.scenario.name, seconds=starting.now(), why=str(error)))
            return next(left, None)
        while settings is not None:
            outcome = await _one(series, settings, view)
            outcomes.append(outcome)
            settings = next(left, None)
            if outcome.status in (2, 3) or (settings and await _is_elsewhere(series, settings, first)):
                break
    if series.left_behind:
        why = f"processes were left behind: {', '.join(series.left_behind)}"
        outcomes.append(Outcome(scenario="end of an environment", seconds=0.0, why=why, way_back_incomplete=True))
    return settings


async def _is_elsewhere(series: rehearse.Series, settings: RehearsalSettings, first: RehearsalSettings) -> bool:
    """Whether the next scenario is better rehearsed on another environment."""
    return settings.speed != first.speed or await series.cooling(settings) > _START_SECONDS


async def _one(series: rehearse.Series, settings: RehearsalSettings, view: View) -> Outcome:
    progress = Progress(title=settings.scenario.title)
    name = settings.scenario.name
    try:
        with view(progress):
            report = await series.rehearse(settings, progress)
    except CouldNotStart as error:
        return Outcome(scenario=name, seconds=progress.now(), why=str(error))
    except WayBackIncomplete as error:
        return Outcome(scenario=name, seconds=progress.now(), why=str(error), way_back_incomplete=True)
    return Outcome(scenario=name, seconds=progress.now(), report=report)
