"""The state in two regions, by the real CLI on S3 and KMS: the region that holds it is lost, and comes back."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from localaws import launch
from shared.places import PROJECTS
from shared.pulumi_cli import search_path
from tests.local.embedded import LocalAws
from tests.pulumi_engine.conftest import ROOT
from tests.tiers import starts

USED, COPY = "us-east-2", "us-east-1"
OPTIONS = "use_path_style=true&disable_https=true"
"""A bucket's own host name does not resolve to loopback."""
_LONGEST = 1800  # seconds on a machine that is busy with something else

# `dr` as a process of its own, on a backend in S3 instead of the folder that `--local` uses.
_DR = """
import os
from pathlib import Path
from ops.rollout import commands, local_environment, pulumi_cli
folder, backend = Path(os.environ["TEST_FOLDER"]), os.environ["TEST_BACKEND"]
os.environ.update(local_environment.start_providers(os.environ["TEST_ENDPOINT"], folder))
os.environ["PULUMI_BACKEND_URL"] = backend
pulumi_cli.use_settings_in(folder)
commands.POLICIES = ()
"""
_COMMAND = f"{_DR}\nfrom ops.__main__ import main; main()"
_INIT = f"""{_DR}
import shutil, sys
from shared.pulumi_cli import STACKS
for stack in commands.ALL_STACKS:
    own = folder / stack
    own.mkdir()
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copyfile(STACKS / stack / name, own / name)
    pulumi_cli.output_in(own, ["stack", "init", "dev", "--secrets-provider", sys.argv[1], "--non-interactive"])
"""


@dataclass
class Environment:
    folder: Path
    aws: LocalAws
    region: str = USED  # whose bucket is used

    def run(self, program: str, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program, *words],
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PATH": search_path(),
                "TEST_FOLDER": str(self.folder / "pulumi"),
                "TEST_BACKEND": f"s3://dr-state-{self.region}?region={self.region}&{OPTIONS}",
                "TEST_ENDPOINT": self.aws.server.endpoint,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_LONGEST,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def dr(self, *words: str) -> str:
        return self.run(_COMMAND, *words)

    def settings(self, stack: str) -> str:
        return (self.folder / "pulumi" / stack / "Pulumi.dev.yaml").read_text()


@pytest.fixture
@starts("stack")
def elsewhere(cli: str, tmp_path: Path) -> Iterator[Environment]:  # noqa: ARG001
    with launch.start(log_file=tmp_path / "server.log", speed=20.0) as server:
        yield Environment(tmp_path, LocalAws(server))


@pytest.mark.nightly
def test_the_state_outlives_its_region_and_comes_back(elsewhere: Environment) -> None:
    made = elsewhere.dr("state", "create", "--name", "dr-state", "--region", USED, "--copy-region", COPY, "--yes")
    assert made == elsewhere.dr(
        "state", "create", "--name", "dr-state", "--region", USED, "--copy-region", COPY, "--yes"
    )
    (provider,) = re.findall(r'SECRETS_PROVIDER="([^"]+)"', made)
    elsewhere.run(_INIT, provider)
    elsewhere.dr("deploy", "--env", "dev", "--yes")

    elsewhere.aws.lose(USED)
    moved = elsewhere.dr("state", "move", "--env", "dev", "--region", COPY, "--yes")
    elsewhere.region = COPY

    assert "what was deployed later is missing" in moved
    assert all(f"region={COPY}" in elsewhere.settings(stack) for stack in PROJECTS)
    survivor = elsewhere.dr("deploy", "primary", "--env", "dev", "--yes")
    rest = elsewhere.dr("deploy", "global", "--env", "dev", "--exclude-region", "secondary", "--yes")
    assert "primary: no changes" in survivor
    assert f"{USED} is excluded" in rest

    elsewhere.aws.heal(USED)
    back = elsewhere.dr("state", "move", "--env", "dev", "--region", USED, "--yes")
    elsewhere.region = USED

    assert "is missing" not in back
    assert all(f"region={USED}" in elsewhere.settings(stack) for stack in PROJECTS)
    again = elsewhere.dr("preview", "--env", "dev")
    assert "primary: no changes" in elsewhere.dr("deploy", "primary", "--env", "dev", "--yes"), again
    held = elsewhere.aws.client("s3", COPY).list_objects_v2(Bucket=f"dr-state-{COPY}", Prefix=".pulumi/locks/")
    assert not held.get("Contents"), "removed locks are removed in the copy"
    s3 = elsewhere.aws.client("s3", USED)
    listed = s3.list_objects_v2(Bucket=f"dr-state-{USED}", Prefix=".pulumi/stacks/")["Contents"]
    current = [each["Key"] for each in listed if each["Key"].endswith("dev.json")]
    assert len(current) == len(PROJECTS)
    for key in current:
        assert f"region={COPY}" not in s3.get_object(Bucket=f"dr-state-{USED}", Key=key)["Body"].read().decode()
