"""Rehearsals: start the embedded AWS, do one scenario or several under load, compare, report, leave nothing behind."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from drill import probes
from drill.drive import drive
from drill.environments import Environment, running
from drill.expectations import CooledDown
from drill.journal import Journal
from drill.objectives import NoTakeOver
from drill.probes import Look, ProbeError
from drill.progress import Progress
from drill.rehearsal_journal import journal_of, write_end
from drill.report import build, files
from drill.report.found import Found
from drill.report.model import Report
from drill.runner import CouldNotStart
from drill.settings import RehearsalSettings


async def rehearse(settings: RehearsalSettings, progress: Progress, *, command: Sequence[str] | None = None) -> Report:
    """Writes `report.json` and `report.html` into the run's folder. `command` starts another AWS than the embedded one.

    Raises CouldNotStart, Inconclusive, and WayBackIncomplete when a change could not be taken back.
    """
    files.remove(settings.folder)  # a report of an earlier run must not pass for this one's
    started_at = datetime.now(UTC)
    with journal_of(settings) as journal:
        async with running(
            environment=settings.environment,
            speed=settings.speed,
            directory=settings.folder / "local",
            progress=progress,
            command=command,
        ) as environment:
            settings = await environment.calibrate(settings, progress)
            found = await drive(settings, environment, progress, journal)
        return _report(settings, progress, environment, found, started_at, journal)


class Series:
    """Several scenarios in a row on one environment."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    async def rehearse(self, settings: RehearsalSettings, progress: Progress) -> Report:
        """Like `rehearse`. That nothing is left behind shows only at the end."""
        files.remove(settings.folder)
        started_at = datetime.now(UTC)
        settings = await self._environment.calibrate(settings, progress)
        await self._cool_down(settings, progress)
        with journal_of(settings) as journal:
            found = await drive(settings, self._environment, progress, journal)
            return _report(settings, progress, self._environment, found, started_at, journal)

    @property
    def speed(self) -> float:
        """AWS seconds in one of this machine, at which the environment runs now."""
        return self._environment.site.speed

    @property
    def left_behind(self) -> Sequence[str]:
        """Processes that had to be killed, once the environment has ended."""
        return self._environment.left_behind

    async def cooling(self, settings: RehearsalSettings) -> float:
        """For how many seconds a sentinel would not act yet, if the scenario is to see it act. Raises CouldNotStart."""
        if isinstance(settings.scenario.objectives.take_over, NoTakeOver):
            return 0.0
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            try:
                status = await probes.status(client, self._environment.endpoints.control)
            except ProbeError as error:
                raise CouldNotStart(str(error)) from error
        speed = self._environment.site.speed
        look = Look(status=status, speed=speed, at=datetime.now(UTC).timestamp())
        return CooledDown().left(look) / speed

    async def _cool_down(self, settings: RehearsalSettings, progress: Progress) -> None:
        if (left := await self.cooling(settings)) > 0:
            with progress.stage("wait for the sentinels' cool-down"):
                await asyncio.sleep(left)


@asynccontextmanager
async def series(
    *, environment: str, speed: float, directory: Path, progress: Progress, command: Sequence[str] | None = None
) -> AsyncIterator[Series]:
    """An environment that several scenarios use. Raises CouldNotStart."""
    async with running(
        environment=environment, speed=speed, directory=directory, progress=progress, command=command
    ) as found:
        yield Series(found)


def _report(
    settings: RehearsalSettings,
    progress: Progress,
    environment: Environment,
    found: Found,
    started_at: datetime,
    journal: Journal,
) -> Report:
    report = build.report(
        settings,
        progress,
        environment.endpoints,
        found,
        started_at=started_at,
        left_behind=environment.left_behind,
    )
    write_end(journal, report)
    files.write(report, settings.folder, secrets=(environment.endpoints.client_key.get_secret_value(),))
    return report
