"""One rehearsal: start the embedded AWS, do the scenario under load, compare, report, and leave nothing behind."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from drill import probes, verify
from drill.actions import LocalFaults
from drill.client import ClientPolicy, Target
from drill.clients import local_client
from drill.endpoints import Endpoints, EndpointsError
from drill.limits import Limits
from drill.load import Load
from drill.local import LocalAws, StartError, up_command
from drill.payments import payments
from drill.probes import ReplicationKeepsUp
from drill.progress import Progress
from drill.report import build, files
from drill.report.found import Found
from drill.report.model import Report
from drill.resources import Sampler
from drill.runner import CouldNotStart, Runner
from drill.scenario import Settle
from drill.settings import RehearsalSettings
from shared.places import Place

_RAMP_SECONDS = 3.0
"""Nobody's clients all arrive at once at a system that has just been deployed, with every function still cold."""

_CAUGHT_UP = Settle(name="replication catches up", until=(ReplicationKeepsUp(),), within_aws_seconds=60)


async def rehearse(settings: RehearsalSettings, progress: Progress, *, command: Sequence[str] | None = None) -> Report:
    """Writes `report.json` and `report.html` into the run's folder. `command` starts another AWS than the embedded one.

    Raises CouldNotStart, and WayBackIncomplete when a region could not be brought back.
    """
    files.remove(settings.folder)  # a report of an earlier run must not pass for this one's
    started_at = datetime.now(UTC)
    directory = (settings.folder / "local").resolve()
    command = command or up_command(environment=settings.environment, speed=settings.speed, directory=directory)
    aws = LocalAws(command, directory, progress.line)
    try:
        with progress.stage("start the embedded AWS and deploy the stacks"):
            endpoints = await _started(aws, settings)
        progress.regions = {place: endpoints.region(place) for place in Place}
        async with _sampled(aws) as sampler:
            found = await _drive(settings, endpoints, progress, sampler)
    finally:
        with progress.stage("stop the embedded AWS") as stage:
            left_behind = await aws.stop()
            stage.detail = f"had to kill {', '.join(left_behind)}" if left_behind else "no process left"
    report = build.report(settings, progress, endpoints, found, started_at=started_at, left_behind=left_behind)
    files.write(report, settings.folder)
    return report


async def _started(aws: LocalAws, settings: RehearsalSettings) -> Endpoints:
    try:
        endpoints = await aws.start()
    except (StartError, EndpointsError) as error:
        raise CouldNotStart(str(error)) from error
    got = (endpoints.environment, endpoints.speed)
    if got != (settings.environment, settings.speed):
        raise CouldNotStart(
            f"asked for environment {settings.environment} at speed {settings.speed:g}, "
            f"but {got[0]} at speed {got[1]:g} answers"
        )
    return endpoints


@asynccontextmanager
async def _sampled(aws: LocalAws) -> AsyncIterator[Sampler]:
    sampler = Sampler(aws.processes)
    sampler.start()
    try:
        yield sampler
    finally:
        await asyncio.to_thread(sampler.stop)


async def _drive(settings: RehearsalSettings, endpoints: Endpoints, progress: Progress, sampler: Sampler) -> Found:
    limits = await asyncio.to_thread(_limits, endpoints, settings)
    if refusal := limits.refusal(settings.scenario.seconds_lost(settings.duration)):
        raise CouldNotStart(refusal)
    progress.rto_limit = limits.rto_seconds
    load = Load(
        Target(
            host=endpoints.accelerator_host,
            port=endpoints.accelerator_port,
            service_name=endpoints.service_name,
            ca_file=endpoints.ca_file,
            client_key=endpoints.client_key.get_secret_value(),
        ),
        ClientPolicy.of(speed=settings.speed, rate=settings.rate),
        payments(settings.seed),
        rate=settings.rate,
        ramp=min(_RAMP_SECONDS, settings.duration / 10),
        now=progress.now,
    )
    progress.load = load
    async with httpx.AsyncClient(trust_env=False, timeout=5) as control:
        runner = Runner(
            settings.scenario,
            regions=progress.regions,
            kind=settings.kind,
            duration=settings.duration,
            speed=settings.speed,
            load=load,
            faults=LocalFaults(control, endpoints.control),
            look=lambda: probes.status(control, endpoints.control),
            progress=progress,
        )
        try:
            before = await asyncio.to_thread(sampler.mark)
            await runner.run()
            await load.stop()
            after = await asyncio.to_thread(sampler.mark)
            with progress.stage("let clients finish") as stage:
                await load.drain()
                stage.detail = f"{len(load.record.acknowledged)} of {len(load.record.intents)} told"
            await runner.settle(_CAUGHT_UP)
        finally:
            await load.close()
    with progress.stage("compare what clients were told with the journal of each region") as stage:
        verification = await asyncio.to_thread(_verify, endpoints, load)
        stage.detail = f"{verification.in_journal} of {verification.acknowledged} in both regions"
    return Found(
        load=load,
        limits=limits,
        status=progress.status,
        verification=verification,
        usage=sampler.usage(before, after),
        sampler=sampler,
        not_restored=runner.not_restored,
        blind=tuple(runner.blind),
    )


def _limits(endpoints: Endpoints, settings: RehearsalSettings) -> Limits:
    checks = []
    for place in Place:
        outputs = endpoints.region_outputs(place)
        elbv2 = local_client("elbv2", region=outputs.region, endpoint=endpoints.aws, account=endpoints.account)
        try:
            checks.append(probes.health_settings(elbv2, outputs.target_group_arn, outputs.region))
        except (BotoCoreError, ClientError) as error:
            raise CouldNotStart(f"the health check deployed in {outputs.region} cannot be read: {error}") from error
    return Limits(checks=tuple(checks), speed=settings.speed)


def _verify(endpoints: Endpoints, load: Load) -> verify.Verification:
    table = endpoints.global_outputs.journal_table
    journals = {
        region: verify.read_journal(
            local_client("dynamodb", region=region, endpoint=endpoints.aws, account=endpoints.account), table
        )
        for region in endpoints.regions
    }
    return verify.compare(load.record.intents, journals)
