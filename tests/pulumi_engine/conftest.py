"""An embedded AWS for the Pulumi CLI. Where there is no CLI, these tests are listed at the end as not run."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from localaws import launch
from localaws.core.environment import ACCOUNT
from shared.pulumi_cli import search_path
from tests.local.embedded import LocalAws
from tests.tiers import starts

ROOT = Path(__file__).resolve().parents[2]
REASON = "there is no Pulumi CLI: `make pulumi` builds one, or see https://www.pulumi.com/docs/iac/download-install/"
SPEED = 20.0
_LONGEST = 1800  # seconds for a command on a machine that is busy with something else

# `dr` as a process of its own, without the policy pack, which needs a virtual environment of its own.
_DR = "from ops.rollout import commands; commands.POLICIES = (); from ops.__main__ import main; main()"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    left_out = [each.nodeid for each in terminalreporter.stats.get("skipped", ()) if REASON in str(each.longrepr)]
    if left_out:
        terminalreporter.section("not run")
        terminalreporter.write_line(f"{len(left_out)} tests of the Pulumi engine were not run: {REASON}")
        for name in left_out:
            terminalreporter.write_line(f"  {name}")


@dataclass
class Environment:
    """An embedded AWS, and the commands of a user whose working folder knows it as the running one."""

    folder: Path
    aws: LocalAws
    seconds: dict[str, float] = field(default_factory=dict)  # by command

    def dr(self, *words: str) -> str:
        """The output of a command of `dr`, for dev, on this embedded AWS. It has to succeed."""
        began = time.monotonic()
        with self.started(*words) as process:
            output = process.communicate(timeout=_LONGEST)[0]
        self.seconds[" ".join(words)] = time.monotonic() - began
        assert process.returncode == 0, output
        return output

    def started(self, *words: str) -> "subprocess.Popen[str]":
        """A command of `dr`, running."""
        return self.python(_DR, *words, "--env", "dev", "--local")

    def python(self, program: str, *words: str) -> "subprocess.Popen[str]":
        """A program in Python, running, where the user's commands run."""
        return subprocess.Popen(
            [sys.executable, "-c", program, *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.fixture(scope="session")
def cli() -> str:
    found = shutil.which("pulumi", path=search_path())
    if found is None:
        pytest.skip(REASON)
    return found


@pytest.fixture(scope="module")
@starts("stack")
def local(cli: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:  # noqa: ARG001
    """An embedded AWS with nothing deployed."""
    folder = tmp_path_factory.mktemp("engine")
    directory = folder / "build" / "local"
    directory.mkdir(parents=True)
    with launch.start(log_file=directory / "server.log", speed=SPEED) as server:
        known = {
            "environment": "dev",
            "speed": SPEED,
            "pid": server.process.pid,
            "account": ACCOUNT,
            "aws": server.endpoint,
            "control": server.control,
            "ca_file": str(directory / "ca.pem"),
            "addresses": {},
            "regions": {"us-east-1": {"name": "primary"}, "us-east-2": {"name": "secondary"}},
            "outputs": {},
            "metadata": {"client_key": "k" * 40, "deployed_by": "pulumi"},
        }
        (directory / "endpoints.json").write_text(json.dumps(known))
        yield Environment(folder, LocalAws(server))
