"""An embedded AWS for the Pulumi CLI. Where there is no CLI, these tests are listed at the end as not run."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from localaws import launch
from localaws.core.environment import ACCOUNT
from shared.places import PROJECTS
from shared.pulumi_cli import STACKS, search_path
from tests.local.embedded import LocalAws
from tests.pulumi_engine import reports
from tests.tiers import starts

ROOT = Path(__file__).resolve().parents[2]
REASON = "there is no Pulumi CLI: `make pulumi` builds one, or see https://www.pulumi.com/docs/iac/download-install/"
SPEED = 20.0
_LONGEST = 1800  # seconds for a command on a machine that is busy with something else

# `dr` as a process of its own, with a copy of the stacks' settings, which a test can change, and with the policy pack,
# which takes a while, only where a test asks for it.
_DR = """
import sys
from pathlib import Path
from ops.environment import settings
from ops.rollout import commands
copy = Path(sys.argv.pop(1))
settings.settings_file = lambda stack, environment, _=None: copy / stack / f"Pulumi.{environment}.yaml"
if sys.argv.pop(1) == "without policies":
    commands.POLICIES = ()
from ops.__main__ import main
main()
"""

# The CLI by itself, without the checks of `dr`.
_PULUMI = """
import json, sys
from ops.rollout import local_environment, pulumi_cli
local_environment.use("dev")
stack, *words = json.loads(sys.argv[1])
jobs = {stack: [*words, "--stack", "dev", "--non-interactive"]}
sys.exit(pulumi_cli.side_by_side(jobs, lambda _, line: print(line))[stack])
"""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A command of `dr`: its words, its seconds, and how many resources the engine went through."""

    words: str
    seconds: float
    operations: int


_ran: list[Ran] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    left_out = [each.nodeid for each in terminalreporter.stats.get("skipped", ()) if REASON in str(each.longrepr)]
    if left_out:
        terminalreporter.section("not run")
        terminalreporter.write_line(f"{len(left_out)} tests of the Pulumi engine were not run: {REASON}")
        for name in left_out:
            terminalreporter.write_line(f"  {name}")
    if _ran:
        terminalreporter.section("Pulumi engine")
        for each in _ran:
            terminalreporter.write_line(f"{each.operations:6} operations {each.seconds:6.0f} s  {each.words}")
        operations, seconds = sum(each.operations for each in _ran), sum(each.seconds for each in _ran)
        terminalreporter.write_line(f"{operations:6} operations {seconds:6.0f} s  by {len(_ran)} commands")


@dataclass
class Environment:
    """An embedded AWS, and the commands of a user whose working folder knows it as the running one."""

    folder: Path
    aws: LocalAws
    printed: list[str] = field(default_factory=list)  # by every command

    @property
    def settings(self) -> Path:
        """Its own copy of the stacks' settings files."""
        return self.folder / "settings"

    def dr(self, *words: str, status: int = 0, policies: bool = False) -> str:
        """The output of a command of `dr`, for dev, on this embedded AWS. It has to end with `status`."""
        began = time.monotonic()
        with self.started(*words, policies=policies) as process:
            output = process.communicate(timeout=_LONGEST)[0]
        self.printed.append(output)
        operations = sum(sum(counts.values()) for counts in reports.counts(output).values())
        _ran.append(Ran(words=" ".join(words), seconds=time.monotonic() - began, operations=operations))
        assert process.returncode == status, output
        return output

    def started(self, *words: str, policies: bool = False) -> "subprocess.Popen[str]":
        """A command of `dr`, running."""
        with_or_without = f"{'with' if policies else 'without'} policies"
        return self.python(_DR, str(self.settings), with_or_without, *words, "--env", "dev", "--local")

    def pulumi(self, stack: str, *words: str, fails: bool = False) -> str:
        """The output of a command of the CLI for a stack. It has to succeed, unless it `fails`."""
        with self.python(_PULUMI, json.dumps([stack, *words])) as process:
            output = process.communicate(timeout=_LONGEST)[0]
        assert (process.returncode != 0) == fails, output
        return output

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

    @contextmanager
    def setting(self, stack: str, key: str, value: Any) -> Iterator[None]:
        """Let a stack's settings file have another value for `key`."""
        file = self.settings / stack / "Pulumi.dev.yaml"
        before = file.read_text()
        content = yaml.safe_load(before) or {}
        content["config"] = {**(content.get("config") or {}), key: value}
        file.write_text(yaml.safe_dump(content))
        try:
            yield
        finally:
            file.write_text(before)

    def outputs(self) -> dict[str, Any]:
        """By stack, as recorded once all three are deployed."""
        file = self.folder / "build" / "local" / "endpoints.json"
        recorded = json.loads(file.read_text())["outputs"]
        return {stack: recorded.get(stack) for stack in PROJECTS}

    def state(self, stack: str) -> Path:
        """The file that holds a stack's state."""
        return self.folder / "build/local/pulumi/state/.pulumi/stacks" / PROJECTS[stack] / "dev.json"

    def resources(self, stack: str, kind: str) -> dict[str, str]:
        """Ids by name of the resources of a kind in a stack's state."""
        return {row["urn"].rpartition("::")[2]: row["id"] for row in self.rows(stack) if row["type"] == kind}

    def rows(self, stack: str) -> list[dict[str, Any]]:
        """The resources in a stack's state."""
        found: list[dict[str, Any]] = json.loads(self.state(stack).read_text())["checkpoint"]["latest"]["resources"]
        return found

    def set_speed(self, speed: float) -> None:
        """AWS seconds in one of this machine's, from now on."""
        self.aws.control("clock", {"speed": speed})


@pytest.fixture(scope="session")
def cli() -> str:
    found = shutil.which("pulumi", path=search_path())
    if found is None:
        pytest.skip(REASON)
    return found


@pytest.fixture(scope="module")
@starts("engine")
def local(cli: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:  # noqa: ARG001
    """An embedded AWS with nothing deployed."""
    folder = tmp_path_factory.mktemp("engine")
    shutil.copytree(STACKS, folder / "settings", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    directory = folder / "build" / "local"
    directory.mkdir(parents=True)
    known_as = directory / "endpoints.json"
    with launch.start(log_file=directory / "server.log", speed=SPEED, remove_at_end=[known_as]) as server:
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
        known_as.write_text(json.dumps(known))
        yield Environment(folder, LocalAws(server))
