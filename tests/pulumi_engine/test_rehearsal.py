"""A rehearsal whose stacks the Pulumi CLI deployed: the same result, and no change to what a failover moves."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.places import PROJECTS
from tests.pulumi_engine.conftest import ROOT

pytestmark = pytest.mark.nightly

_LONGEST = 3600  # seconds, with a second run at half the speed


@pytest.mark.usefixtures("cli")
@pytest.mark.parametrize("scenario", ["region-loss", "loss-during-failback"])
def test_neither_failover_nor_failback_makes_the_cli_change_anything(scenario: str, tmp_path: Path) -> None:
    words = ["rehearse", scenario, "--engine", "pulumi", "--output", str(tmp_path)]

    done = subprocess.run(
        [sys.executable, "-m", "ops", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    report = json.loads((tmp_path / scenario / "report.json").read_text())
    assert report["engine"] == "pulumi"
    assert report["second_runs"] == [{stack: [] for stack in PROJECTS}] * 2
    assert report["payments"]["lost"] == report["payments"]["duplicated"] == 0
