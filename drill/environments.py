"""The embedded AWS that rehearsals run on: started once, used by one scenario or by several in a row."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import psutil

from drill import calibration
from drill.calibration import Capacity
from drill.client import Target
from drill.endpoints import Endpoints, EndpointsError
from drill.local import LocalAws, StartError, up_command
from drill.progress import Progress
from drill.resources import Sampler
from drill.runner import CouldNotStart
from drill.settings import RehearsalSettings
from drill.site import Site
from shared.deployment import Deployment, DeploymentError
from shared.places import Place


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
    capacity: Capacity | None = None  # what this machine sustains, once measured

    def target(self, address: str) -> Target:
        """A payment client's way to `address`, `host:port` on this machine."""
        host, _, port = address.rpartition(":")
        return Target(
            host=host,
            port=int(port),
            service_name=self.endpoints.service_name,
            ca_file=self.endpoints.ca_file,
            client_key=self.endpoints.client_key.get_secret_value(),
        )

    async def calibrate(self, settings: RehearsalSettings, progress: Progress) -> RehearsalSettings:
        """`settings` with a rate and a speed that this machine sustains; the environment goes on at that speed.

        Raises CouldNotStart, and Inconclusive for a rate or speed by hand that this machine does not sustain.
        """
        if self.capacity is None:
            nlb = self.endpoints.regions[self.endpoints.region(Place.SECONDARY)].nlb
            self.capacity = await calibration.measure(
                [self.target(self.endpoints.accelerator.address), self.target(nlb)],
                seed=settings.seed,
                speed=self.site.speed,
                cpu_seconds=self.sampler.cpu_seconds,
                starvation=self.sampler.longest_waits,
                progress=progress,
            )
        with progress.stage("choose rate and speed") as stage:
            choice = calibration.choose(
                self.capacity,
                rate=settings.given_rate,
                speed=settings.given_speed,
                fastest=min(settings.fastest, settings.scenario.fastest),
            )
            progress.speed = choice.speed
            progress.chosen = stage.detail = f"{choice.rate:g} payments/s at speed {choice.speed:g}: {choice.why}"
            if choice.speed != self.site.speed:
                await self._set_speed(choice.speed)
        return replace(settings, rate=choice.rate, speed=choice.speed, why=choice.why)

    async def _set_speed(self, speed: float) -> None:
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
                answer = await client.post(f"{self.endpoints.control}/clock", json={"speed": speed})
                answer.raise_for_status()
        except httpx.HTTPError as error:
            raise CouldNotStart(f"the speed cannot be changed: {type(error).__name__}: {error}") from error
        self.endpoints = self.endpoints.model_copy(update={"speed": speed})
        self.deployment = Deployment.of_local(self.endpoints)
        self.site = Site.of(self.deployment)


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
        async with sampled(aws.processes) as sampler:
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
async def sampled(processes: Callable[[], Sequence[psutil.Process]]) -> AsyncIterator[Sampler]:
    """A sampler that looks at them and at this process while the block runs."""
    sampler = Sampler(processes)
    sampler.start()
    try:
        yield sampler
    finally:
        await asyncio.to_thread(sampler.stop)
