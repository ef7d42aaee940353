"""Does one scenario to a deployed environment, under load, and reads everything that its report and verdict need.

`drill.engine.simulated_run` does this on the embedded AWS, where a control API tells more; here AWS's own answers
must do.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr

from drill.engine.cleanup import KNOWN
from drill.engine.local_environment import Environment, sampled
from drill.engine.restore import come_home
from drill.engine.runlog_summary import write_end, write_start
from drill.engine.runner import RunJournal, Runner
from drill.engine.simulated_run import drive
from drill.engine.under_load import deployed_limits, run_under_load
from drill.load.client import ClientPolicy, Target
from drill.load.generator import Load
from drill.load.payments import payments
from drill.model.change import Surroundings, from_plain
from drill.model.errors import ActionError, CouldNotStart, Inconclusive, ProbeError, WayBackIncomplete
from drill.model.faults import FaultInjector, LocalFaults
from drill.model.ledger_row import Row
from drill.model.scenario import Settle
from drill.model.target import Site
from drill.observe import workflow_runs
from drill.observe.deployed import EnvironmentWatch
from drill.observe.host_usage import Sampler
from drill.observe.progress import Progress
from drill.observe.workflow_runs import WorkflowRun
from drill.probes.recovery import LedgerKeepsUp, NothingRuns
from drill.report import build, files
from drill.report.model import Report
from drill.runlog.api_calls import record_calls
from drill.runlog.entries import RunEnded, VerdictReached
from drill.runlog.log import Journal, pending_undos
from drill.scenarios.deployed import ENVIRONMENT_SCENARIOS
from drill.scenarios.settings import RunSettings
from drill.verdict import reconcile, writers
from drill.verdict.reconcile import Verification
from drill.verdict.result import Found
from drill.verdict.verdict import INCONCLUSIVE
from shared import local_aws
from shared.deployment import Deployment
from shared.local_endpoints import Endpoints
from shared.places import Place

_RAMP_SECONDS = 2.0
_WINDOW_PAYMENTS = 10  # that a current rate is taken over, at least
_ARRIVES_AWS_SECONDS = 60.0
_ARRIVES_SECONDS = 10.0
_LOOK_SECONDS = 0.5


async def exercise(
    settings: RunSettings,
    site: Site,
    target: Target,
    progress: Progress,
    journal: RunJournal,
    faults: FaultInjector,
    sampler: Sampler,
) -> Found:
    """Raises CouldNotStart before the first change, WayBackIncomplete when a change could not be taken back."""
    scenario = settings.scenario
    prefix = f"{scenario.name}-{settings.seed}-"
    progress.regions = dict(site.regions)
    progress.window = max(progress.window, _WINDOW_PAYMENTS / settings.rate)
    limits = await asyncio.to_thread(deployed_limits, site, site.whole.cell)
    progress.rto_limit = limits.rto_seconds
    load = Load(
        target,
        ClientPolicy.of(speed=settings.speed, rate=settings.rate),
        payments(settings.seed, label=scenario.name),
        rate=settings.rate,
        ramp=_RAMP_SECONDS,
        now=progress.now,
    )
    progress.load = load
    watched = EnvironmentWatch(site, prefix)
    runner = Runner(
        scenario,
        around=Surroundings(faults=faults, site=site, kind=settings.kind),
        load=load,
        watched=watched,
        progress=progress,
        journal=journal,
        starvation=sampler.starvation,
    )
    course = await run_under_load(
        runner,
        load,
        watched,
        sampler,
        progress,
        arrived=lambda _status: Settle(
            name="the ledger catches up", until=(LedgerKeepsUp(), NothingRuns()), within_aws_seconds=90
        ),
    )
    with progress.stage("compare clients, journals and the ledger") as stage:
        verification, rows, trouble = await _compared(site, watched, load, prefix)
        stage.detail = f"{verification.in_journal} of {verification.acknowledged} in both regions"
    runs = await asyncio.to_thread(_runs, site, runner, frozenset(run.name for run in course.first.workflows))
    return Found(
        load=load,
        limits=limits,
        status=progress.status,
        refused_before={},
        verification=verification,
        usage=course.usage,
        sampler=sampler,
        not_restored=runner.not_restored,
        blind=tuple(runner.blind),
        awaited=tuple(runner.awaited),
        runs=tuple(runs),
        two_writers=tuple(writers.two_at_once(rows, ())),
        written=tuple(writers.spans(rows)),
        trouble=tuple(trouble),
    )


async def _compared(
    site: Site, watched: EnvironmentWatch, load: Load, prefix: str
) -> tuple[Verification, list[Row], list[str]]:
    """The comparison once nothing differs, or as it stands after a while: replication takes a moment."""
    deadline = time.monotonic() + max(_ARRIVES_SECONDS, _ARRIVES_AWS_SECONDS / site.speed)
    while True:
        trouble: list[str] = []
        ledgers: Mapping[str, dict[str, Row]] = {}
        journals: dict[str, Any] = {}
        try:
            ledgers = await watched.written()
            journals = await asyncio.to_thread(_journals, site, load)
        except ProbeError as error:
            # Counted as empty: what cannot be read proves nothing.
            trouble.append(str(error))
        silent: dict[str, Any] = {region: {} for region in site.regions.values()}
        found = reconcile.compare(load.record.intents, journals or silent, ledgers or silent, prefix=prefix)
        wrong = found.lost or found.duplicated or found.missing_in_ledger or found.journals_differ
        if not (wrong or trouble) or time.monotonic() > deadline:
            return found, [row for ledger in ledgers.values() for row in ledger.values()], trouble
        await asyncio.sleep(_LOOK_SECONDS)


def _journals(site: Site, load: Load) -> dict[str, Any]:
    """By key: a journal in use is too large to be read whole. Raises ProbeError."""
    ids = [intent.payment_id for intent in load.record.intents]
    try:
        return {
            site.region(place): reconcile.read_entries(site.client("dynamodb", place), site.journal_table, ids)
            for place in Place
        }
    except (BotoCoreError, ClientError) as error:
        raise ProbeError(f"the journal cannot be read: {error}") from error


def _runs(site: Site, runner: Runner, before: frozenset[str]) -> list[WorkflowRun]:
    try:
        return workflow_runs.read_runs(site, besides=before)
    except ProbeError as error:
        runner.blind.append(str(error))  # without them, that nothing happened is not shown
        return []


# One run on a deployed environment, from its folder to its report: journal, scenario, rollback, verdict.
#
# On any early exit, reverts the run's changes and the failover they caused.


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
        doors, local = self.deployment.endpoints, self.deployment.local
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
            database_secret=self.deployment.global_outputs.database_secret_arn,
            again=local_aws.command("deploy", "--directory", str(directory)),
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
