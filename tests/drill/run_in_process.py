"""The drill's `run` on a shared environment, as a person would call it, in the process of a test that sabotages it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from drill.__main__ import app
from drill.report import files
from drill.report.model import Report
from drill.runlog import folders
from tests.drill.repeating import conclusive, of_report
from tests.drill.running_environment import words
from tests.drill.shared_environment import SharedEnvironment


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The end of a run; reports by scenario."""

    status: int
    printed: str
    reports: dict[str, Report]

    @property
    def report(self) -> Report:
        assert len(self.reports) == 1, self.printed
        return next(iter(self.reports.values()))

    @property
    def why(self) -> str:
        """It is inconclusive."""
        found = [of_report(each) for each in self.reports.values() if each.verdict == "inconclusive"]
        return "\n".join(found) or self.printed


def ran(
    name: str,
    environment: SharedEnvironment,
    root: Path,
    *,
    during: Callable[[Path], AbstractContextManager[object]] = nullcontext,
) -> Ended:
    """`drill run` of `name` inside of `during`, which is given the environment's file; a second time, at half the speed
    on a new environment, where the first run was inconclusive."""
    tries = iter((root, root / "again"))

    def once() -> Ended:
        with during(environment.file):
            return _ran(name, environment.file, next(tries))

    return conclusive(once, environment.start_anew_at_half_speed)


def _ran(name: str, file: Path, root: Path) -> Ended:
    done = CliRunner().invoke(app, words(name, file, root))
    every = [files.read(folder) for folder in folders.folders("dev", root=root) if (folder / "report.json").exists()]
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Ended(status=done.exit_code, printed=done.output, reports={each.scenario: each for each in every})
