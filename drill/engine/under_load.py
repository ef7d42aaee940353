"""What every run under load is, wherever its environment is: the limits that are deployed there, a first look, the
scenario, and the load's end.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from drill.engine.runner import Runner
from drill.load.generator import Load
from drill.model import expectation
from drill.model.errors import CouldNotStart, ProbeError
from drill.model.scenario import Settle
from drill.model.status import Status
from drill.model.target import Site
from drill.observe.host_usage import Sampler, Usage
from drill.observe.observer import Watched
from drill.observe.progress import Progress
from drill.verdict.limits import Limits
from shared.outputs import PlainRegionOutputs
from shared.places import Place


@dataclass(frozen=True, kw_only=True)
class Course:
    """What is known once the load has ended."""

    first: Status  # before anything was changed
    usage: Usage  # of this machine, from the first look until the load stopped


def deployed_limits(site: Site, cell: Callable[[Place], PlainRegionOutputs]) -> Limits:
    """From the health checks as they are deployed; `cell` gives a region's outputs. Raises CouldNotStart."""
    checks = []
    for place in Place:
        outputs = cell(place)
        try:
            client = site.client("elbv2", place)
            checks.append(expectation.health_settings(client, outputs.ingress.target_group_arn, outputs.region))
        except (BotoCoreError, ClientError) as error:
            raise CouldNotStart(f"the health check deployed in {outputs.region} cannot be read: {error}") from error
    return Limits(checks=tuple(checks), speed=site.speed)


async def run_under_load(
    runner: Runner,
    load: Load,
    watched: Watched,
    sampler: Sampler,
    progress: Progress,
    *,
    arrived: Callable[[Status], Settle],
) -> Course:
    """The scenario, then the clients' last answers, then `arrived`: what is to be compared must be there first.

    Raises CouldNotStart before the first change, WayBackIncomplete when a change could not be taken back. The load has
    ended either way.
    """
    try:
        try:
            first = await watched.status()
        except ProbeError as error:
            raise CouldNotStart(str(error)) from error
        before = await asyncio.to_thread(sampler.mark)
        await runner.run()
        await load.stop()
        after = await asyncio.to_thread(sampler.mark)
        with progress.stage("let clients finish") as stage:
            for each in (load, *runner.storms):
                await each.drain()
            stage.detail = f"{len(load.record.acknowledged)} of {len(load.record.intents)} told"
        await runner.settle(arrived(progress.status))
    finally:
        for each in (load, *runner.storms):
            await each.close()
    return Course(first=first, usage=sampler.usage(before, after))
