"""A local deployment for a whole module, and the drill's `run` on it as a person would call it."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drill import runs
from drill.__main__ import app
from drill.report import files
from drill.report.model import Report

SPEED = 10
_START_SECONDS = 120.0
_END_SECONDS = 30.0


@contextmanager
def deployed(folder: Path, *, speed: float = SPEED) -> Iterator[Path]:
    """`endpoints.json` of the three stacks on an embedded AWS."""
    words = ["up", "--speed", str(speed), "--plain", "--directory", str(folder / "local")]
    found = folder / "local" / "endpoints.json"
    with (folder / "out").open("w") as out, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        process = subprocess.Popen([sys.executable, "-m", "localaws", *words], stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not found.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert found.exists(), (folder / "out").read_text()
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_END_SECONDS)


def words(name: str, file: Path, root: Path) -> list[str]:
    """The command's. A busy machine may have an alarm off, which is for the check's own tests."""
    return ["run", name, "--env", "dev", "--local", "--endpoints", str(file), "--root", str(root), "--yes", "--anyway"]


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a run ended; reports by scenario."""

    status: int
    said: str
    reports: dict[str, Report]

    @property
    def report(self) -> Report:
        assert len(self.reports) == 1, self.said
        return next(iter(self.reports.values()))


def ran(name: str, file: Path, root: Path) -> Ended:
    done = CliRunner().invoke(app, words(name, file, root))
    every = [files.read(folder) for folder in runs.folders("dev", root=root) if (folder / "report.json").exists()]
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Ended(status=done.exit_code, said=done.output, reports={each.scenario: each for each in every})
