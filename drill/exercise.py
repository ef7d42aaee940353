"""Does one scenario to a deployed environment, under load, and reads everything that its report and verdict need.

`drill.drive` does this on the embedded AWS, where a control API tells more; here AWS's own answers must do.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from drill import verify, workflow_runs, writers
from drill.actions import Surroundings
from drill.client import ClientPolicy, Target
from drill.environment_watch import EnvironmentWatch
from drill.expectations import LedgerKeepsUp, NothingRuns
from drill.faults import FaultInjector
from drill.ledger import Row
from drill.load import Load
from drill.payments import payments
from drill.probes import ProbeError
from drill.progress import Progress
from drill.report.found import Found
from drill.resources import Sampler
from drill.run_settings import RunSettings
from drill.runner import RunJournal, Runner
from drill.scenario import Settle
from drill.site import Site
from drill.under_load import deployed_limits, run_under_load
from drill.verify import Verification
from drill.workflow_runs import WorkflowRun
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
        found = verify.compare(load.record.intents, journals or silent, ledgers or silent, prefix=prefix)
        wrong = found.lost or found.duplicated or found.missing_in_ledger or found.journals_differ
        if not (wrong or trouble) or time.monotonic() > deadline:
            return found, [row for ledger in ledgers.values() for row in ledger.values()], trouble
        await asyncio.sleep(_LOOK_SECONDS)


def _journals(site: Site, load: Load) -> dict[str, Any]:
    """By key: a journal in use is too large to be read whole. Raises ProbeError."""
    ids = [intent.payment_id for intent in load.record.intents]
    try:
        return {
            site.region(place): verify.read_entries(site.client("dynamodb", place), site.journal_table, ids)
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
