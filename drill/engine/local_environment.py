"""The embedded AWS that rehearsals run on: started once, used by one scenario or by several in a row."""

import asyncio
import contextlib
import json
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import psutil

from drill.engine import calibration
from drill.engine.calibration import Capacity
from drill.load.client import Target
from drill.model.errors import CouldNotStart
from drill.model.target import Site
from drill.observe.host_usage import Sampler
from drill.observe.progress import Progress
from drill.scenarios.settings import RehearsalSettings
from shared import client_keys, local_aws
from shared.deployment import Deployment, DeploymentError
from shared.local_endpoints import Endpoints, EndpointsError
from shared.places import Place
from shared.settings import SettingsError

# Where a local deployment answers, under the name the drill knows it by.


__all__ = ["Endpoints", "EndpointsError"]


# The embedded AWS as a child process: started with the three stacks deployed, and ended with everything it started.


_START_SECONDS = 180.0  # a cold start on a slow machine; warm it is a few seconds
_STOP_SECONDS = 30.0  # above the time after which it kills itself
_END_SECONDS = 6.0  # its reaper outlives it by a moment
_LAST_LINES = 12


class StartError(RuntimeError):
    """The environment to drill in did not start, or did not end as it must."""


def up_command(*, speed: float, directory: Path) -> list[str]:
    """Starts the embedded AWS, which reads the plan on its standard input and runs until that closes."""
    words = ["--speed", f"{speed:g}", "--directory", str(directory), "--plain", "--plan", "-", "--owner-fd", "0"]
    return local_aws.command("up", *words)


class LocalAws:
    """One embedded AWS, which gets `plan` on its standard input and ends when that closes, whatever ended this process.

    `on_line` gets each line that it prints while it starts and runs.
    """

    def __init__(
        self, command: Sequence[str], plan: Mapping[str, Any], directory: Path, on_line: Callable[[str], None]
    ) -> None:
        self._command = list(command)
        self._plan = f"{json.dumps(plan)}\n".encode()
        self._file = directory / "endpoints.json"
        self._on_line = on_line
        self._last: deque[str] = deque(maxlen=_LAST_LINES)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> Endpoints:
        """Wait until it is ready. Raises StartError with its last lines when it ends early or takes too long, and
        EndpointsError when what it wrote is not what it promises."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.unlink(missing_ok=True)  # an earlier run's addresses would be believed
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=1024 * 1024,
            env=_child_environment(),
        )
        assert self._process.stdin is not None
        self._process.stdin.write(self._plan)
        self._reader = asyncio.create_task(self._read(self._process))
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not self._file.exists():
                    if self._process.returncode is not None:
                        await self._reader
                        raise StartError(self._said(f"it ended with status {self._process.returncode}"))
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise StartError(self._said(f"it was not ready after {_START_SECONDS:g} s")) from None
        return Endpoints.read(self._file)

    def processes(self) -> list[psutil.Process]:
        """All processes of the embedded AWS that run now, the one started here first."""
        if self._process is None or self._process.returncode is not None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            first = psutil.Process(self._process.pid)
            return [first, *first.children(recursive=True)]
        return []

    async def stop(self) -> list[str]:
        """End it and wait. Returns what was still there afterwards and had to be killed: nothing, if all is well."""
        if self._process is None:
            return []
        before = self.processes()
        if self._process.returncode is None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                async with asyncio.timeout(_STOP_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        if self._reader is not None:
            await asyncio.wait({self._reader}, timeout=2)
            self._reader.cancel()
        return await asyncio.to_thread(_kill_left, before)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip()
            if line and (not self._last or line != self._last[-1]):  # what it waits for, it says again and again
                self._last.append(line)
                self._on_line(line)

    def _said(self, what: str) -> str:
        return "\n  ".join([f"the embedded AWS did not start: {what}; it said:", *(self._last or ["nothing"])])


def _child_environment() -> dict[str, str]:
    """The user's environment without AWS settings: a rehearsal neither needs nor shows them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {"PYTHONUNBUFFERED": "1"}


def _kill_left(processes: Sequence[psutil.Process]) -> list[str]:
    _, alive = psutil.wait_procs(processes, timeout=_END_SECONDS)
    left = []
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            left.append(f"{process.name()} ({process.pid})")
            process.kill()
    return left


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
    command = command or up_command(speed=speed, directory=directory)
    try:
        plan = local_aws.plan(environment, client_key=client_keys.draw())
    except SettingsError as error:
        raise CouldNotStart(str(error)) from error
    aws = LocalAws(command, plan, directory, progress.line)
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
        database_secret=deployment.global_outputs.database_secret_arn,
        again=local_aws.command("deploy", "--directory", str(directory)),
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
