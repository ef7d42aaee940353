"""The environment that a run works on: a rehearsal's embedded AWS, one that runs already, or AWS."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import psutil
from pydantic import SecretStr

from drill.engine import calibration
from drill.engine.calibration import Capacity
from drill.load.client import Target
from drill.model.errors import CouldNotStart
from drill.observe.host_usage import Sampler
from drill.observe.progress import Progress
from drill.scenarios.settings import RehearsalSettings
from shared import local_aws
from shared.deployment import Deployment
from shared.local_aws import Engine
from shared.places import Place


@dataclass(kw_only=True)
class DeployedEnvironment:
    """A deployment, and what a drill needs besides: a client's key, and samples of the processes on this machine."""

    deployment: Deployment
    client_key: SecretStr
    ca_file: Path | None  # None: public certificate authorities
    sampler: Sampler
    directory: Path | None = None  # of the embedded AWS; None on AWS
    deploy_seconds: Mapping[str, float] = field(default_factory=dict)  # by stack
    left_behind: list[str] = field(default_factory=list)  # processes that had to be killed; known once it has ended
    capacity: Capacity | None = None  # what this machine sustains, once measured

    @property
    def speed(self) -> float:
        """AWS seconds in one of this machine."""
        return self.deployment.speed

    @property
    def redeploy(self) -> list[str]:
        """The command that runs the stack programs again and prints what that changed, or would change, as JSON."""
        local = self.deployment.local
        if local is None or local.engine is Engine.LOCALAWS:
            return local_aws.command("deploy", "--directory", str(self.directory))
        words = ["drift", "--env", self.deployment.environment, "--local", "--json"]
        # Beside the load, for which the CLI's three programs would leave no processor.
        quiet = ["env", f"{local_aws.DIRECTORY_VARIABLE}={self.directory}", "nice", "-n", "19"]
        return [*quiet, sys.executable, "-m", "ops", *words]

    def target(self, place: Place | None = None) -> Target:
        """The address of the accelerator, or of the load balancer at a place."""
        endpoints = self.deployment.endpoints
        entry = endpoints.nlb[place] if place else endpoints.accelerator
        return Target(
            host=entry.host,
            port=entry.port,
            service_name=endpoints.service_name,
            ca_file=self.ca_file,
            client_key=self.client_key.get_secret_value(),
        )

    async def calibrate(self, settings: RehearsalSettings, progress: Progress) -> RehearsalSettings:
        """`settings` with a rate and a speed that this machine sustains; the environment continues at that speed.

        Raises CouldNotStart, and Inconclusive for a rate or speed given by hand that this machine does not sustain.
        """
        if self.capacity is None:
            self.capacity = await calibration.measure(
                [self.target(), self.target(Place.SECONDARY)],
                seed=settings.seed,
                speed=self.speed,
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
            if choice.speed != self.speed:
                await self._set_speed(choice.speed)
        return replace(settings, rate=choice.rate, speed=choice.speed, why=choice.why)

    async def _set_speed(self, speed: float) -> None:
        local = self.deployment.local
        assert local is not None, "the clock of AWS cannot be changed"
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
                answer = await client.post(f"{local.control}/clock", json={"speed": speed})
                answer.raise_for_status()
        except httpx.HTTPError as error:
            raise CouldNotStart(f"the speed cannot be changed: {type(error).__name__}: {error}") from error
        self.deployment = replace(self.deployment, local=replace(local, speed=speed))


@asynccontextmanager
async def sampled(processes: Callable[[], Sequence[psutil.Process]]) -> AsyncIterator[Sampler]:
    """A sampler of them and of this process while the block runs."""
    sampler = Sampler(processes)
    sampler.start()
    try:
        yield sampler
    finally:
        await asyncio.to_thread(sampler.stop)
