"""The three stacks deployed on an embedded AWS, and the words of a drill's `run` on it."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from drill.engine.environment import DeployedEnvironment
from drill.observe.host_usage import Sampler
from drill.observe.progress import Progress
from drill.scenarios.settings import RehearsalSettings
from shared.deployment import Deployment
from shared.local_endpoints import Endpoints

_START_SECONDS = 300.0
_END_SECONDS = 60.0


@contextmanager
def deployed(folder: Path, speed: float) -> Iterator[Path]:
    """`endpoints.json` of the three stacks on an embedded AWS."""
    words = ["up", "--speed", str(speed), "--plain", "--directory", str(folder / "local")]
    found = folder / "local" / "endpoints.json"
    with (folder / "out").open("w") as out, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        process = subprocess.Popen([sys.executable, "-m", "shared.local_aws", *words], stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not found.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert found.exists(), (folder / "out").read_text()
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_END_SECONDS)


def set_speed(file: Path, speed: float | None) -> None:
    """Let the environment go on at another speed; where none is given, at one that this machine sustains, measured as a
    rehearsal does."""
    endpoints = Endpoints.read(file)
    if speed is not None:
        url = f"{endpoints.control}/clock"
        httpx.post(url, json={"speed": speed}, trust_env=False, timeout=60).raise_for_status()
        return
    deployment = Deployment.of_local(endpoints)
    server = psutil.Process(endpoints.pid)
    environment = DeployedEnvironment(
        deployment=deployment,
        client_key=endpoints.client_key,
        ca_file=endpoints.ca_file,
        sampler=Sampler(lambda: [server, *server.children(recursive=True)]),
        directory=file.parent,
    )
    settings = RehearsalSettings.checked(
        scenario="region-loss",
        environment=endpoints.environment,
        speed=None,
        rate=None,
        duration=None,
        seed=1,
        outage_mode="error",
        output=file.parent,
    )
    asyncio.run(environment.calibrate(settings, Progress(title="choose a speed")))


def words(name: str, file: Path, root: Path) -> list[str]:
    """The command's. A busy machine may have an alarm off, which is for the check's own tests."""
    return ["run", name, "--env", "dev", "--local", "--endpoints", str(file), "--root", str(root), "--yes", "--force"]
