"""The embedded AWS of a rehearsal: a child process with the three stacks deployed, used by one scenario or several."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

from drill.engine.environment import DeployedEnvironment, sampled
from drill.model.errors import CouldNotStart
from drill.observe.host_usage import Sampler
from drill.observe.progress import Progress
from shared import client_keys, local_aws
from shared.deployment import Deployment, DeploymentError
from shared.local_aws import Engine
from shared.local_endpoints import Endpoints, EndpointsError
from shared.settings import SettingsError

_START_SECONDS = 180.0  # a cold start on a slow machine; warm it is a few seconds
_STOP_SECONDS = 30.0  # above the time after which it kills itself
_END_SECONDS = 6.0  # its reaper outlives it by a moment
_LAST_LINES = 12


class StartError(RuntimeError):
    """The embedded AWS did not start."""


def deploy_commands(environment: str) -> list[list[str]]:
    """Deploy the stacks with the Pulumi CLI, and take over into its state what AWS has finished since."""
    words = ["--env", environment, "--local", "--yes"]
    return [[sys.executable, "-m", "ops", verb, *words] for verb in ("deploy", "refresh")]


def up_command(*, speed: float, directory: Path) -> list[str]:
    """Starts the embedded AWS, which reads the plan on its standard input and runs until that closes."""
    words = ["--speed", f"{speed:g}", "--directory", str(directory), "--plain", "--plan", "-", "--owner-fd", "0"]
    return local_aws.command("up", *words)


class LocalAws:
    """One embedded AWS, which gets `plan` on its standard input and ends when that closes, whatever ended this process.

    `on_line` gets each line that it prints while it starts and runs. `deploying` are commands to run once it is there.
    """

    def __init__(
        self,
        command: Sequence[str],
        plan: Mapping[str, Any],
        directory: Path,
        on_line: Callable[[str], None],
        *,
        deploying: Sequence[Sequence[str]] = (),
    ) -> None:
        self._command = list(command)
        self._deploying = deploying
        self._plan = f"{json.dumps(plan)}\n".encode()
        self._file = directory / "endpoints.json"
        self._on_line = on_line
        self._last: deque[str] = deque(maxlen=_LAST_LINES)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> Endpoints:
        """Wait until it is ready. Raises StartError with its last lines when it exits early or is too slow, and
        EndpointsError when its endpoints file does not fit the contract."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.unlink(missing_ok=True)  # or an earlier run's addresses would be used
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
        self._reader = asyncio.create_task(self._read(self._process, self._on_line))
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not self._file.exists():
                    if self._process.returncode is not None:
                        await self._reader
                        raise StartError(self._failure(f"it exited with status {self._process.returncode}"))
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise StartError(self._failure(f"it was not ready after {_START_SECONDS:g} s")) from None
        for command in self._deploying:
            await self._deploy(command)
        return Endpoints.read(self._file)

    async def _deploy(self, command: Sequence[str]) -> None:
        """Raises StartError with the last lines of a command that fails."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # a signal reaches it below, once
            limit=1024 * 1024,
            env=_child_environment() | {local_aws.DIRECTORY_VARIABLE: str(self._file.parent)},
        )
        try:
            # The Pulumi CLI's lines about single resources begin with the stack's name in brackets.
            await self._read(process, lambda line: None if line.startswith("[") else self._on_line(line))
            status = await process.wait()
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGINT)
                await process.wait()
        if status:
            raise StartError(self._failure(f"`{' '.join(command[2:])}` ended with status {status}"))

    def processes(self) -> list[psutil.Process]:
        """All processes of the embedded AWS that run now, the one started here first."""
        if self._process is None or self._process.returncode is not None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            first = psutil.Process(self._process.pid)
            return [first, *first.children(recursive=True)]
        return []

    async def stop(self) -> list[str]:
        """Stop it and wait. Returns the processes that had to be killed, none if all is well."""
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

    async def _read(self, process: asyncio.subprocess.Process, on_line: Callable[[str], None]) -> None:
        assert process.stdout is not None
        async for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip()
            if line and (not self._last or line != self._last[-1]):  # its wait messages repeat
                self._last.append(line)
                on_line(line)

    def _failure(self, what: str) -> str:
        return "\n  ".join([f"the embedded AWS did not start: {what}; its output:", *(self._last or ["none"])])


def _child_environment() -> dict[str, str]:
    """The user's environment without AWS settings, which a rehearsal does not need."""
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


@asynccontextmanager
async def running(
    *,
    environment: str,
    speed: float,
    directory: Path,
    progress: Progress,
    nlb_tail: float = 0.0,
    engine: Engine = Engine.LOCALAWS,
    command: Sequence[str] | None = None,
) -> AsyncIterator[DeployedEnvironment]:
    """The embedded AWS with everything deployed by `engine`, stopped afterwards. `nlb_tail` is in AWS seconds.
    `command` starts another one in its place.

    Raises CouldNotStart.
    """
    directory = directory.resolve()
    tail = ["--nlb-tail", f"{nlb_tail:g}"] if nlb_tail else []
    command = command or [*up_command(speed=speed, directory=directory), *tail]
    try:
        plan = local_aws.plan(environment, client_key=client_keys.draw(), engine=engine)
    except SettingsError as error:
        raise CouldNotStart(str(error)) from error
    deploying = deploy_commands(environment) if engine is Engine.PULUMI else []
    aws = LocalAws(command, plan, directory, progress.line, deploying=deploying)
    found: DeployedEnvironment | None = None
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


def _environment(endpoints: Endpoints, sampler: Sampler, directory: Path) -> DeployedEnvironment:
    try:
        deployment = Deployment.of_local(endpoints)
    except DeploymentError as error:
        raise CouldNotStart(str(error)) from error
    return DeployedEnvironment(
        deployment=deployment,
        client_key=endpoints.client_key,
        ca_file=endpoints.ca_file,
        sampler=sampler,
        directory=directory,
        deploy_seconds=endpoints.deploy_seconds,
    )


async def _started(aws: LocalAws, environment: str, speed: float) -> Endpoints:
    try:
        endpoints = await aws.start()
    except (StartError, EndpointsError) as error:
        raise CouldNotStart(str(error)) from error
    got = (endpoints.environment, endpoints.speed)
    if got != (environment, speed):
        raise CouldNotStart(
            f"environment {environment} at speed {speed:g} was requested, but {got[0]} at speed {got[1]:g} answers"
        )
    return endpoints
