"""Every scenario, one after the other. One environment serves as many as leave it as they found it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass

from drill import rehearse, verdict
from drill.progress import Progress
from drill.report.model import Report
from drill.runner import CouldNotStart, Inconclusive, WayBackIncomplete
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
    without_report: int = 2  # exit status where there is no report

    @property
    def status(self) -> int:
        """As the exit status of that rehearsal alone."""
        return self.without_report if self.report is None else verdict.exit_status(self.report.checks)


_WORST = (3, 1, 2, verdict.INCONCLUSIVE)


def worst(statuses: Iterable[int]) -> int:
    """Of several exit statuses the one that needs a person's attention first."""
    found = set(statuses)
    return next((status for status in _WORST if status in found), 0)


async def rehearse_all(
    chosen: Sequence[RehearsalSettings], view: View, *, command: Sequence[str] | None = None
) -> list[Outcome]:
    """`chosen` differ in their scenarios and seeds only. `view` shows each one's progress while it lasts."""
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
    """Rehearse until a scenario does not end as expected, or another environment is there sooner than this one's
    sentinels would act again; the next one to be rehearsed, the same again where it was inconclusive."""
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
            if outcome.status == verdict.INCONCLUSIVE and settings.may_slow_down:
                settings = settings.at_half_speed(series.speed, outcome.why or _first_broken(outcome))
                break  # on an environment that the first run left nothing behind in
            outcomes.append(outcome)
            settings = next(left, None)
            # What was not as expected may have left the environment otherwise than it was.
            if outcome.status != 0 or (settings and await series.cooling(settings) > _START_SECONDS):
                break
    if series.left_behind:
        why = f"processes were left behind: {', '.join(series.left_behind)}"
        outcomes.append(Outcome(scenario="end of an environment", seconds=0.0, why=why, without_report=3))
    return settings


def _first_broken(outcome: Outcome) -> str:
    return (outcome.report and outcome.report.first_broken) or ""


async def _one(series: rehearse.Series, settings: RehearsalSettings, view: View) -> Outcome:
    progress = Progress(title=settings.scenario.title)
    name = settings.scenario.name
    try:
        with view(progress):
            report = await series.rehearse(settings, progress)
    except CouldNotStart as error:
        return Outcome(scenario=name, seconds=progress.now(), why=str(error))
    except WayBackIncomplete as error:
        return Outcome(scenario=name, seconds=progress.now(), why=str(error), without_report=3)
    except Inconclusive as error:
        return Outcome(scenario=name, seconds=progress.now(), why=str(error), without_report=verdict.INCONCLUSIVE)
    return Outcome(scenario=name, seconds=progress.now(), report=report)
