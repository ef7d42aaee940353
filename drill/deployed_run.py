"""One run on a deployed environment, from its folder to its report: journal, scenario, rollback, verdict.

On any early exit, reverts the run's changes and the failover they caused.
"""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil
from pydantic import SecretStr

from drill.actions import from_plain
from drill.cleanup import KNOWN
from drill.client import Target
from drill.drive import drive
from drill.environment_scenarios import ENVIRONMENT_SCENARIOS
from drill.environments import Environment, sampled
from drill.exercise import exercise
from drill.faults import ActionError, LocalFaults
from drill.homecoming import come_home
from drill.journal import Journal, pending_undos
from drill.journal_entries import RunEnded, VerdictReached
from drill.progress import Progress
from drill.recorded_calls import record_calls
from drill.rehearsal_journal import write_end, write_start
from drill.report import build, files
from drill.report.found import Found
from drill.report.model import Report
from drill.resources import Sampler
from drill.run_settings import RunSettings
from drill.runner import CouldNotStart, Inconclusive, WayBackIncomplete
from drill.site import Site
from drill.verdict import INCONCLUSIVE
from shared.deployment import Deployment
from shared.local_endpoints import Endpoints
from shared.places import Place

AWS_LIMITS = (
    "The load is light and comes from one place: it shows that service goes on, not how much of it there is.",
    "Of the database only the writer's rows are compared: the other member is not reachable from outside its VPC.",
)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one run is made of."""

    settings: RunSettings
    deployment: Deployment
    endpoints_file: Path  # of the one on this machine
    client_key: SecretStr
    interrupted: list[int]  # signals; filled while it runs

    @property
    def deploy_seconds(self) -> dict[str, float]:
        return {}

    def region(self, place: Place) -> str:
        return self.deployment.region(place)

    async def perform(self, progress: Progress) -> Report:
        """Raises CouldNotStart, WayBackIncomplete, and ActionError when a change could not be made but all of them were
        taken back; a cancelled run goes its way back first."""
        settings, started_at = self.settings, datetime.now(UTC)
        key = self.client_key.get_secret_value()
        with Journal.open(settings.folder, secrets=(key,)) as journal:
            try:
                found = await self._found(progress, journal)
            except (CouldNotStart, Inconclusive) as error:
                journal.write(RunEnded(status=2 if isinstance(error, CouldNotStart) else INCONCLUSIVE))
                raise
            except (asyncio.CancelledError, ActionError) as error:
                _refuse_owed(journal)
                await self._home(progress)
                self._cut_short(journal, error)
                raise
            report = build.report(
                settings,
                progress,
                self,
                found,
                started_at=started_at,
                left_behind=(),
                known_limits=build.KNOWN_LIMITS if self.deployment.local else AWS_LIMITS,
            )
            write_end(journal, report)
        files.write(report, settings.folder, secrets=(key,))
        return report

    async def _found(self, progress: Progress, journal: Journal) -> Found:
        settings = self.settings
        local = self.deployment.local
        async with sampled(_below(local.pid) if local else list) as sampler:
            if settings.scenario.name not in ENVIRONMENT_SCENARIOS:
                return await drive(settings, self._attached(sampler), progress, journal)
            record_calls(self.deployment, journal)
            site = Site.of(self.deployment)
            regions = {place.value: region for place, region in site.regions.items()}
            write_start(journal, settings, regions, local=local is not None)
            async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
                faults = LocalFaults(client, local.control if local else "")
                return await exercise(settings, site, self._target(), progress, journal, faults, sampler)

    def _target(self) -> Target:
        doors, local = self.deployment.doors, self.deployment.local
        ca_file = local.ca_file if local else None
        if ca_file is None and doors.certificates_pem:
            ca_file = self.settings.folder / "certificates.pem"
            ca_file.write_text(doors.certificates_pem)
        return Target(
            host=doors.accelerator.host,
            port=doors.accelerator.port,
            service_name=doors.service_name,
            ca_file=ca_file,
            client_key=self.client_key.get_secret_value(),
        )

    def _attached(self, sampler: Sampler) -> Environment:
        """The embedded AWS that runs already, as a scenario with faults wants it."""
        assert self.deployment.local is not None, "scenarios with faults are chosen for the embedded AWS only"
        directory = self.endpoints_file.resolve().parent
        return Environment(
            endpoints=Endpoints.read(self.endpoints_file),
            deployment=self.deployment,
            site=Site.of(self.deployment),
            sampler=sampler,
            directory=directory,
            database_secret=self.deployment.spanning.database_secret_arn,
            again=[sys.executable, "-m", "localaws", "deploy", "--directory", str(directory)],
        )

    async def _home(self, progress: Progress) -> None:
        """What the system did by itself is taken back too. Raises WayBackIncomplete."""
        with progress.stage("bring the environment home") as stage:
            try:
                stage.detail = "; ".join(await come_home(self.deployment)) or "it was home already"
            except ActionError as error:
                raise WayBackIncomplete(f"left to do: {error}") from error
            except asyncio.CancelledError as error:
                raise WayBackIncomplete("left to do: bring the environment home, which was interrupted") from error

    def _cut_short(self, journal: Journal, error: BaseException) -> None:
        if isinstance(error, ActionError):
            journal.write(VerdictReached(verdict="failed", first_broken=str(error)))
            journal.write(RunEnded(status=1))
        else:
            journal.write(RunEnded(status=128 + (self.interrupted[0] if self.interrupted else 0)))


def _refuse_owed(journal: Journal) -> None:
    """A way back that goes on for another reason can be interrupted itself. Raises WayBackIncomplete."""
    if owed := pending_undos(journal.entries()):
        left = "; ".join(from_plain(KNOWN, each.undo).name for each in owed)
        raise WayBackIncomplete(f"left to do: {left}")


def _below(pid: int) -> Callable[[], list[psutil.Process]]:
    def processes() -> list[psutil.Process]:
        try:
            top = psutil.Process(pid)
            return [top, *top.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    return processes
