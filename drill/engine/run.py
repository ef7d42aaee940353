"""One run: a scenario on an environment under load, what it measured, its log and its report.

A scenario that needs fault injection runs on the embedded AWS, whose control API is observed; the others run on AWS too
and are observed by AWS's own APIs.
"""

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from drill.actions import poison
from drill.engine.environment import DeployedEnvironment
from drill.engine.runner import Runner
from drill.load.client import ClientPolicy
from drill.load.generator import LoadGenerator
from drill.load.payments import payments
from drill.model import expectation
from drill.model.attempts import Intent
from drill.model.context import DrillContext
from drill.model.errors import CouldNotStart, ProbeError
from drill.model.faults import LocalFaults
from drill.model.objectives import NoTakeOver
from drill.model.scenario import Flood, WaitFor
from drill.observe import workflow_runs
from drill.observe.deployed import DeployedObserver
from drill.observe.local import LocalObserver
from drill.observe.observer import Ledgers, Observer
from drill.observe.progress import Progress
from drill.probes.recovery import LedgerKeepsUp, NothingRuns
from drill.probes.traffic import ReplicationKeepsUp
from drill.report import build, files
from drill.report.model import Report
from drill.runlog.api_calls import record_calls
from drill.runlog.entries import Measure, RunEnded, RunStarted, VerdictReached
from drill.runlog.log import RunLog
from drill.scenarios.deployed import DEPLOYED_SCENARIOS
from drill.scenarios.settings import RehearsalSettings
from drill.verdict import reconcile, writers
from drill.verdict.reconcile import Verification
from drill.verdict.result import Limits, RunResult
from drill.verdict.verdict import exit_status
from shared.deployment import Deployment
from shared.places import Place

_RAMP_SECONDS = 3.0
"""Real clients do not all arrive at once at a system that has just been deployed, with every function still cold."""

_BURST = 10
"""Requests of a flood that leave at the same time: together they need more executions than one after the other."""

_WINDOW_PAYMENTS = 10  # that a current rate is taken over, at least
_ARRIVES_AWS_SECONDS = 120.0  # from the journal to both ledgers, and to an event by the announcer's next sweep
_LEAST_ARRIVES_SECONDS = 5.0  # of this machine: the computing does not speed up
_POLL_SECONDS = 0.5

REHEARSAL_LIMITS = (
    "This is a rehearsal on one machine: the three stack programs, the functions, the state machines and the health "
    "checks are the real ones, the AWS services under them are emulated. It verifies the design and the code, not "
    "AWS's own times.",
    "The accelerator acts on target health at once; AWS does not publish how long Global Accelerator takes "
    "(users commonly see less than 30 s).",
    "A promotion is PostgreSQL's own and takes the time that AWS names as typical for Aurora, about a minute.",
    "Clients and servers share the processors of this machine, so latencies are upper bounds and the accepted rate is "
    "this machine's, not a region's.",
    "Latencies are not sped up: at a speed above 1, a fixed piece of computing weighs more against the limits.",
)
AWS_LIMITS = (
    "The load is light and comes from one place: it shows that the service continues, not its capacity.",
    "Of the database only the writer's rows are compared: the other member is not reachable from outside its VPC.",
)


@dataclass(kw_only=True)
class Run:
    """One scenario on one environment."""

    settings: RehearsalSettings
    environment: DeployedEnvironment
    progress: Progress
    run_log: RunLog
    _load: LoadGenerator = field(init=False)
    _result: RunResult = field(init=False)

    async def perform(self) -> RunResult:
        """Raises CouldNotStart and Inconclusive before the first change, RollbackIncomplete when a change stays."""
        settings, progress, deployment = self.settings, self.progress, self.environment.deployment
        record_calls(deployment, self.run_log)
        self._write_start()
        limits = await asyncio.to_thread(deployed_limits, deployment, nlb_tail=self.settings.nlb_tail)
        progress.regions = dict(deployment.regions)
        progress.window = max(progress.window, _WINDOW_PAYMENTS / settings.rate)
        progress.rto_limit = limits.rto_limit_seconds
        sampler = self.environment.sampler
        self._load = progress.load = self._new_load()
        self._result = result = RunResult(
            speed=settings.speed,
            rate=settings.rate,
            regions=deployment.regions,
            started=progress.started,
            started_at=progress.started_at,
            limits=limits,
            deploy_seconds=self.environment.deploy_seconds,
            planned_second_runs=settings.scenario.second_runs,
            known_limits=REHEARSAL_LIMITS if deployment.local else AWS_LIMITS,
            record=self._load.record,
            starvation=sampler.starvation,
        )
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            control = deployment.local.control if deployment.local else ""
            observer = self._observer(client, control)
            runner = Runner(
                settings.scenario,
                ctx=DrillContext(
                    deployment=deployment, faults=LocalFaults(client, control), outage_mode=settings.outage_mode
                ),
                load=self._load,
                observer=observer,
                progress=progress,
                result=result,
                run_log=self.run_log,
                duration=settings.duration,
                impatient=self._impatient_load,
                flooding=self._flooding_load,
            )
            await self._under_load(runner, observer)
            await self._compare(runner, observer)
            await self._read_decisions(observer)
        result.peak_memory_bytes, result.peak_processes = sampler.peak_bytes, sampler.peak_processes
        return result

    def report(self, result: RunResult, *, secrets: Sequence[str] = ()) -> Report:
        """Judge the result, write the end of the log and the report's files."""
        result.left_behind = self.environment.left_behind
        report = build.report(self.settings, self.progress, result)
        traffic, paid = report.traffic, report.payments
        for name, value, unit, limit in (
            ("interruption", traffic.rto_seconds, "s", report.limits.rto_limit_seconds),
            ("acknowledged payments lost", paid.lost, "payments", 0),
            ("payments made twice", paid.duplicated, "payments", 0),
            *((moment.name, moment.aws_seconds, "AWS s", moment.limit_aws_seconds) for moment in report.moments),
        ):
            self.run_log.write(Measure(name=name, value=value, unit=unit, limit=limit))
        self.run_log.write(VerdictReached(verdict=report.verdict, first_broken=report.first_broken))
        self.run_log.write(RunEnded(status=exit_status(report.checks)))
        files.write(report, self.settings.folder, secrets=(self.environment.client_key.get_secret_value(), *secrets))
        return report

    @property
    def _prefix(self) -> str:
        """Of the references of this run's payments."""
        return f"{self.settings.scenario.name}-{self.settings.seed}-"

    def _write_start(self) -> None:
        """The plan, before anything is done."""
        settings, deployment = self.settings, self.environment.deployment
        self.run_log.write(
            RunStarted(
                scenario=settings.scenario.name,
                environment=settings.environment,
                local=deployment.local is not None,
                regions={place.value: region for place, region in deployment.regions.items()},
                plan=tuple(step.name for step in settings.scenario.steps),
                settings={
                    "speed": f"{settings.speed:g}",
                    "rate": f"{settings.rate:g}",
                    "seed": str(settings.seed),
                    "outage_mode": str(settings.outage_mode),
                    "engine": str(settings.engine),
                },
            )
        )

    def _observer(self, client: httpx.AsyncClient, control: str) -> Observer:
        deployment = self.environment.deployment
        if self.settings.scenario.name in DEPLOYED_SCENARIOS:
            return DeployedObserver(deployment, self._prefix)
        return LocalObserver(
            client, deployment, control=control, prefix=self._prefix, redeploy=self.environment.redeploy
        )

    def _new_load(self) -> LoadGenerator:
        settings, aside = self.settings, self.settings.scenario.served_aside
        return LoadGenerator(
            self.environment.target(),
            ClientPolicy.of(speed=settings.speed, rate=settings.rate),
            payments(settings.seed, label=settings.scenario.name),
            rate=settings.rate,
            ramp=_RAMP_SECONDS if settings.duration is None else min(_RAMP_SECONDS, settings.duration / 10),
            now=self.progress.now,
            aside=self.environment.target(aside) if aside else None,
        )

    def _impatient_load(self, rate: float) -> LoadGenerator:
        return LoadGenerator(
            self.environment.target(),
            ClientPolicy.impatient(rate=rate),
            payments(self.settings.seed, label=f"{self._prefix}storm"),
            rate=rate,
            now=self.progress.now,
        )

    def _flooding_load(self, flood: Flood, with_keys: bool, rate: float) -> LoadGenerator:
        target = self.environment.target(flood.place)
        words = "flood" if with_keys else "flood-without-key"
        return LoadGenerator(
            target if with_keys else replace(target, client_key=""),
            ClientPolicy.flood(rate=rate),
            payments(self.settings.seed, label=f"{self._prefix}{words}"),
            rate=rate,
            now=self.progress.now,
            burst=_BURST,
        )

    async def _under_load(self, runner: Runner, observer: Observer) -> None:
        """The scenario, then the clients' last answers, then a wait for everything that is to be compared. The load has
        ended either way."""
        load, result, sampler = self._load, self._result, self.environment.sampler
        try:
            try:
                result.first_status = await observer.status()
            except ProbeError as error:
                raise CouldNotStart(str(error)) from error
            before = await asyncio.to_thread(sampler.mark)
            await runner.run()
            await load.stop()
            result.usage = sampler.usage(before, await asyncio.to_thread(sampler.mark))
            with self.progress.stage("let clients finish") as stage:
                for each in (load, *runner.storms):
                    await each.drain()
                stage.detail = f"{len(load.record.acknowledged)} of {len(load.record.intents)} acknowledged"
            status = self.progress.status
            replication = (ReplicationKeepsUp(),) if status.replication.backlog else ()
            ledger = (LedgerKeepsUp(),) if status.databases else ()  # without a database there is none
            await runner.wait_for(
                WaitFor(
                    name="replication and ledger catch up",
                    until=(*replication, *ledger, NothingRuns()),
                    within_aws_seconds=90,
                    on_timeout="rollback",
                )
            )
        finally:
            for each in (load, *runner.storms):
                await each.close()
        result.load_started, result.load_stopped = load.started or 0.0, load.stopped
        result.status = self.progress.status

    async def _compare(self, runner: Runner, observer: Observer) -> None:
        result = self._result
        intents = [intent for each in (self._load, *runner.storms) for intent in each.record.intents]
        with self.progress.stage("compare client records, journals and ledgers") as stage:
            result.verification, ledgers = await self._compared(observer, intents)
            stage.detail = f"{result.verification.in_journal} of {result.verification.acknowledged} in both regions"
        rows = list(
            itertools.chain.from_iterable(
                ledger.values() for ledger in (*ledgers.values(), *result.ledger_snapshots.values())
            )
        )
        ours = {row.payment_id: row for row in rows if row.reference.startswith(self._prefix)}
        result.two_writers = writers.two_at_once(rows, result.status.databases)
        result.written = writers.spans(ours.values())
        result.promotion_loss = self._promotion_loss(ledgers)

    async def _compared(self, observer: Observer, intents: Sequence[Intent]) -> tuple[Verification, Ledgers]:
        """The comparison once nothing differs, or as it is after a while: replication and posting take a moment, and a
        payment whose client had given up may still be on its way. What cannot be read counts as empty."""
        deadline = time.monotonic() + max(_LEAST_ARRIVES_SECONDS, _ARRIVES_AWS_SECONDS / self.environment.speed)
        while True:
            ledgers, trouble = await observer.ledgers()
            try:
                journals = await observer.journals(intents)
            except ProbeError as error:
                journals = {region: {} for region in self._result.regions.values()}
                trouble.append(str(error))
            found = await asyncio.to_thread(reconcile.compare, intents, journals, ledgers, prefix=self._prefix)
            if (found.is_clean and not trouble) or time.monotonic() >= deadline:
                self._result.trouble = trouble
                return found, ledgers
            await asyncio.sleep(_POLL_SECONDS)

    def _promotion_loss(self, ledgers: Ledgers) -> writers.PromotionLoss | None:
        """The snapshot is of the writer that was lost later; the other member was promoted, and holds all rows in the
        end."""
        for region, rows in self._result.ledger_snapshots.items():
            ours = {payment_id: row for payment_id, row in rows.items() if row.reference.startswith(self._prefix)}
            return writers.lost_by_promotion(ours, next(ledger for name, ledger in ledgers.items() if name != region))
        return None

    async def _read_decisions(self, observer: Observer) -> None:
        """Of the state machines and of the sentinels, from the first fault on, and the dead letters of poison."""
        progress, result, objectives = self.progress, self._result, self.settings.scenario.objectives
        deployment, expected = self.environment.deployment, objectives.take_over
        with progress.stage("read workflow runs and sentinel decisions") as stage:
            try:
                before = frozenset(run.name for run in result.first_status.workflows)
                result.runs = await asyncio.to_thread(workflow_runs.read_runs, deployment, besides=before)
                if fault := progress.disturbed:
                    result.decisions = await observer.decisions(
                        since=progress.started_at + fault.at,
                        until=progress.started_at + (fault.ended_at or progress.now()),
                        watcher=expected.watcher if isinstance(expected, NoTakeOver) else None,
                    )
            except ProbeError as error:
                result.unobserved.append(str(error))  # without them, it is not shown that nothing happened
            stage.detail = f"{len(result.runs)} workflow runs, {sum(each.times for each in result.decisions)} decisions"
        if objectives.poisoned:
            result.reported_poison = await asyncio.to_thread(poison.read_poison, deployment, Place.PRIMARY)
        result.conclude(progress, objectives, self.settings.scenario.method[0].name)


def deployed_limits(deployment: Deployment, *, nlb_tail: float = 0.0) -> Limits:
    """From the health checks as they are deployed. `nlb_tail` is in AWS seconds. Raises CouldNotStart."""
    checks = []
    for place in Place:
        cell = deployment.cell(place)
        try:
            client = deployment.client("elbv2", place)
            checks.append(expectation.health_settings(client, cell.ingress.target_group_arn, cell.region))
        except (BotoCoreError, ClientError) as error:
            raise CouldNotStart(f"the health check deployed in {cell.region} cannot be read: {error}") from error
    return Limits(health_checks=tuple(checks), speed=deployment.speed, nlb_tail_aws_seconds=nlb_tail)
