"""Runs one scenario on a local environment and collects the data for report and verdict."""

import asyncio
import itertools
import time
from collections.abc import Sequence

import httpx

from drill.actions import poison
from drill.engine.local_environment import Environment
from drill.engine.runlog_summary import write_start
from drill.engine.runner import Runner
from drill.engine.under_load import deployed_limits, run_under_load
from drill.load.client import ClientPolicy
from drill.load.generator import Load
from drill.load.payments import payments
from drill.model import status as model_status
from drill.model.attempts import Intent
from drill.model.change import Surroundings
from drill.model.errors import ProbeError
from drill.model.faults import LocalFaults
from drill.model.ledger_row import Row
from drill.model.objectives import NoTakeOver
from drill.model.scenario import Settle
from drill.observe import sentinel_log, workflow_runs
from drill.observe.local import LocalWatch
from drill.observe.progress import Progress
from drill.observe.sentinel_log import Decision
from drill.observe.workflow_runs import WorkflowRun
from drill.probes.recovery import LedgerKeepsUp, NothingRuns
from drill.probes.traffic import ReplicationKeepsUp
from drill.runlog.api_calls import record_calls
from drill.runlog.log import Journal
from drill.scenarios.settings import RehearsalSettings
from drill.verdict import reconcile, writers
from drill.verdict.reconcile import Ledgers, Verification
from drill.verdict.result import Found
from shared.places import Place

_RAMP_SECONDS = 3.0
"""Nobody's clients all arrive at once at a system that has just been deployed, with every function still cold."""

_POSTING_AWS_SECONDS = 30.0  # from the journal through a stream and a batch to both ledgers
_LEAST_POSTING_SECONDS = 5.0  # of this machine: the computing does not speed up
_LOOK_SECONDS = 0.5

_LOG_AWS_SECONDS = 75.0
"""A sentinel's run lasts up to 55 s, and its lines are there once it has ended."""


async def drive(settings: RehearsalSettings, environment: Environment, progress: Progress, journal: Journal) -> Found:
    """Raises CouldNotStart and Inconclusive before the first change, WayBackIncomplete when a change stays."""
    record_calls(environment.deployment, journal)
    write_start(journal, settings, {str(place): region for place, region in environment.site.regions.items()})
    endpoints, site, sampler = environment.endpoints, environment.site, environment.sampler
    scenario = settings.scenario
    progress.regions = dict(site.regions)
    limits = await asyncio.to_thread(deployed_limits, site, endpoints.region_outputs)
    progress.rto_limit = limits.rto_seconds
    load = _load(settings, environment, progress)
    progress.load = load
    prefix = f"{scenario.name}-{settings.seed}-"
    async with httpx.AsyncClient(trust_env=False, timeout=5) as control:
        watched = LocalWatch(
            control,
            endpoints.control,
            site=site,
            secret=environment.database_secret,
            prefix=prefix,
            again=environment.again,
        )
        runner = Runner(
            scenario,
            around=Surroundings(faults=LocalFaults(control, endpoints.control), site=site, kind=settings.kind),
            load=load,
            watched=watched,
            progress=progress,
            duration=settings.duration,
            journal=journal,
            starvation=sampler.starvation,
            impatient=lambda rate: _impatient_load(settings, environment, progress, rate),
        )
        course = await run_under_load(runner, load, watched, sampler, progress, arrived=_caught_up)
        status = progress.status
        with progress.stage("compare clients, journals and ledgers") as stage:
            intents = [intent for each in (load, *runner.storms) for intent in each.record.intents]
            ledgers, trouble, verification = await _compared(watched, environment, intents, prefix)
            stage.detail = f"{verification.in_journal} of {verification.acknowledged} in both regions"
    with progress.stage("read what workflows and sentinels say of it") as stage:
        runs: Sequence[WorkflowRun] = ()
        said: Sequence[Decision] = ()
        try:
            names = frozenset(run.name for run in course.first.workflows)
            runs = await asyncio.to_thread(workflow_runs.read_runs, site, besides=names)
            said = await asyncio.to_thread(_decisions, settings, environment, progress)
        except ProbeError as error:
            runner.blind.append(str(error))  # without them, that nothing happened is not shown
        stage.detail = f"{len(runs)} workflow runs, {sum(each.times for each in said)} decisions"
    rows = [*itertools.chain.from_iterable(ledger.values() for ledger in [*ledgers.values(), *runner.stock.values()])]
    ours = [row for row in rows if row.reference.startswith(prefix)]
    return Found(
        load=load,
        limits=limits,
        status=status,
        refused_before={region: known.refused for region, known in course.first.regions.items()},
        verification=verification,
        usage=course.usage,
        sampler=sampler,
        not_restored=runner.not_restored,
        blind=tuple(runner.blind),
        awaited=tuple(runner.awaited),
        runs=tuple(runs),
        decisions=tuple(said),
        control_calls=tuple(runner.calls),
        calls_counted=runner.calls_counted,
        second_runs=tuple(runner.second_runs),
        two_writers=tuple(writers.two_at_once(rows, status.databases)),
        written=tuple(writers.spans({row.payment_id: row for row in ours}.values())),
        promotion_loss=_promotion_loss(runner, ledgers, prefix),
        reported_poison=await _poison(settings, environment),
        trouble=tuple(trouble),
    )


def _caught_up(status: model_status.Status) -> Settle:
    """What is to be compared must have arrived. Without a database there is no ledger to wait for."""
    ledger = (LedgerKeepsUp(),) if status.databases else ()
    return Settle(
        name="replication and ledger catch up",
        until=(ReplicationKeepsUp(), *ledger, NothingRuns()),
        within_aws_seconds=60,
    )


def _load(settings: RehearsalSettings, environment: Environment, progress: Progress) -> Load:
    endpoints, aside = environment.endpoints, settings.scenario.served_aside
    return Load(
        environment.target(endpoints.accelerator.address),
        ClientPolicy.of(speed=settings.speed, rate=settings.rate),
        payments(settings.seed, label=settings.scenario.name),
        rate=settings.rate,
        ramp=_RAMP_SECONDS if settings.duration is None else min(_RAMP_SECONDS, settings.duration / 10),
        now=progress.now,
        aside=environment.target(endpoints.regions[endpoints.region(aside)].nlb) if aside else None,
    )


def _impatient_load(settings: RehearsalSettings, environment: Environment, progress: Progress, rate: float) -> Load:
    return Load(
        environment.target(environment.endpoints.accelerator.address),
        ClientPolicy.impatient(rate=rate),
        payments(settings.seed, label=f"{settings.scenario.name}-{settings.seed}-storm"),
        rate=rate,
        now=progress.now,
    )


async def _ledgers(watched: LocalWatch, environment: Environment) -> tuple[Ledgers, list[str]]:
    """The rows of every member; of one that cannot be read, why: its ledger then counts as empty. Nothing where the
    environment has no database, which a scenario that needs one finds out before it begins."""
    found: dict[str, dict[str, Row]] = {}
    trouble: list[str] = []
    status = await watched.status()
    if not status.databases:
        return found, trouble
    for region in environment.site.regions.values():
        try:
            found[region] = await watched.rows(status, region)
        except ProbeError as error:
            found[region] = {}
            trouble.append(str(error))
    return found, trouble


async def _compared(
    watched: LocalWatch, environment: Environment, intents: Sequence[Intent], prefix: str
) -> tuple[Ledgers, list[str], Verification]:
    """Ledgers, why some cannot be read, and the comparison. What was accepted although its client had left may still be
    on its way to a ledger: nothing that clients were told says so, hence a second look before it counts as missing."""
    deadline = time.monotonic() + max(_LEAST_POSTING_SECONDS, _POSTING_AWS_SECONDS / environment.site.speed)
    while True:
        ledgers, trouble = await _ledgers(watched, environment)
        verification = await asyncio.to_thread(_verify, environment, intents, ledgers, prefix)
        missing = verification.missing_in_ledger or verification.ledgers_differ
        if trouble or not missing or time.monotonic() >= deadline:
            return ledgers, trouble, verification
        await asyncio.sleep(_LOOK_SECONDS)


def _verify(environment: Environment, intents: Sequence[Intent], ledgers: Ledgers, prefix: str) -> Verification:
    site = environment.site
    journals = {
        site.region(place): reconcile.read_journal(site.client("dynamodb", place), site.journal_table)
        for place in Place
    }
    return reconcile.compare(intents, journals, ledgers, prefix=prefix)


def _decisions(settings: RehearsalSettings, environment: Environment, progress: Progress) -> Sequence[Decision]:
    """Of both sentinels, from the first fault on. The one that must explain itself is waited for."""
    fault = progress.disturbed
    if fault is None:
        return ()
    since = progress.started_at + fault.at
    until = progress.started_at + (fault.ended_at or progress.now())
    expected = settings.scenario.objectives.take_over
    watcher = expected.watcher if isinstance(expected, NoTakeOver) else None
    found: list[Decision] = []
    for place in Place:
        patience = _LOG_AWS_SECONDS / settings.speed if place is watcher else 0.0
        found += sentinel_log.wait_for_decisions(environment.site, place, since=since, until=until, patience=patience)
    return sentinel_log.condensed(sorted(found, key=lambda each: each.region))


def _promotion_loss(runner: Runner, ledgers: Ledgers, prefix: str) -> writers.PromotionLoss | None:
    """Stock was taken of the writer that was lost later; the other member was promoted, and holds all in the end."""
    for region, rows in runner.stock.items():
        ours = {payment_id: row for payment_id, row in rows.items() if row.reference.startswith(prefix)}
        return writers.lost_by_promotion(ours, next(ledger for name, ledger in ledgers.items() if name != region))
    return None


async def _poison(settings: RehearsalSettings, environment: Environment) -> dict[str, str]:
    if not settings.scenario.objectives.poisoned:
        return {}
    return await asyncio.to_thread(poison.read_poison, environment.site, Place.PRIMARY)
