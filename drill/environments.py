"""The embedded AWS that rehearsals run on: started once, used by one scenario or by several in a row."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from drill.endpoints import Endpoints, EndpointsError
from drill.local import LocalAws, StartError, up_command
from drill.progress import Progress
from drill.resources import Sampler
from drill.runner import CouldNotStart
from drill.site import Site
from shared.deployment import Deployment, DeploymentError


@dataclass(kw_only=True)
class Environment:
    endpoints: Endpoints
    deployment: Deployment
    site: Site
    sampler: Sampler
    directory: Path
    database_secret: str
    again: list[str]  # the command that runs the stack programs once more
    left_behind: list[str] = field(default_factory=list)  # processes that had to be killed; known once it has ended


@asynccontextmanager
async def running(
    *,
    environment: str,
    speed: float,
    directory: Path,
    progress: Progress,
    command: Sequence[str] | None = None,
) -> AsyncIterator[Environment]:
    """Everything deployed and ready, and gone afterwards. `command` starts another AWS than the embedded one.

    Raises CouldNotStart.
    """
    directory = directory.resolve()
    command = command or up_command(environment=environment, speed=speed, directory=directory)
    aws = LocalAws(command, directory, progress.line)
    found: Environment | None = None
    try:
        with progress.stage("start the embedded AWS and deploy the stacks"):
            endpoints = await _started(aws, environment, speed)
        async with _sampled(aws) as sampler:
            found = _environment(endpoints, sampler, directory)
            yield found
    finally:
        with progress.stage("stop the embedded AWS") as stage:
            left = await aws.stop()
            stage.detail = f"had to kill {', '.join(left)}" if left else "no process left"
        if found:
            found.left_behind = left


def _environment(endpoints: Endpoints, sampler: Sampler, directory: Path) -> Environment:
    try:
        deployment = Deployment.of_local(endpoints)
    except DeploymentError as error:
        raise CouldNotStart(str(error)) from error
    return Environment(
        endpoints=endpoints,
        deployment=deployment,
        site=Site.of(deployment),
        sampler=sampler,
        directory=directory,
        database_secret=deployment.spanning.database_secret_arn,
        again=[sys.executable, "-m", "localaws", "deploy", "--directory", str(directory)],
    )


async def _started(aws: LocalAws, environment: str, speed: float) -> Endpoints:
    try:
        endpoints = await aws.start()
    except (StartError, EndpointsError) as error:
        raise CouldNotStart(str(error)) from error
    got = (endpoints.environment, endpoints.speed)
    if got != (environment, speed):
        raise CouldNotStart(
            f"asked for environment {environment} at speed {speed:g}, but {got[0]} at speed {got[1]:g} answers"
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
