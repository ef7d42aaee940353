"""Runs the test tiers: `python -m tests` those of `make test`, `--all` every one, or by name.

The tiers run one after the other, each on as many cores as it can use. Those on an embedded AWS wait more than they
compute, so unit tests run beside them at a lower priority, and their output follows that of the others; not with
`--in-turn`. All tiers run even if one fails; the exit status is the first failed one's. SIGINT and SIGTERM end the run,
with status 130 and 143.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import made_once
from tests.tiers import DEFAULT, OUTCOMES, TIERS

_ROOT = Path(__file__).resolve().parents[1]
_MOST_SERVERS = 2  # on which the emulator tier was found to be stable
_BESIDE = "unit"  # which needs as much of the cores as the other tiers of `make test` leave
# A tenth of a busy core. At the lowest priority a test gets next to nothing, and what it waits for comes too late.
_NICENESS = 10
_WIDTH = 80


@dataclass(frozen=True, kw_only=True)
class Result:
    """The end of a tier: pytest's exit status, tests by outcome, wall and CPU seconds. Counts are empty if pytest could
    not start."""

    tier: str
    status: int
    counts: Counter[str]
    wall: float
    cpu: float


def workers(tier: str, cores: int) -> int:
    """Test processes of a tier; 0 runs the tests in pytest's own process."""
    parallel = {"unit": cores, "emulator": min(cores, _MOST_SERVERS)}.get(tier, 1)
    return parallel if parallel > 1 else 0


def arguments(tier: str, cores: int, results: Path) -> list[str]:
    """Of pytest. A module on an embedded AWS stays in one process, as its tests share what its fixtures deploy.

    Files are joined to their options: pytest takes any other argument that exists for a path to tests.
    """
    distributed = {"unit": "worksteal", "emulator": "loadfile"}
    parallel = workers(tier, cores)
    how = ["-n", str(parallel), "--dist", distributed[tier]] if parallel else []
    return ["-m", tier, f"--results={results}", *how]


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Tier:
    """A running tier. With an `output`, its output goes to that file, and it gets the time that the others leave."""

    def __init__(self, name: str, folder: Path, output: Path | None = None) -> None:
        self._name = name
        self._results = folder / f"{name}.json"
        self._output = output
        files = folder / "files.json"
        # A tier that is the first collects every file. Later ones need those of their tests only, and collecting all
        # takes a while.
        chosen = json.loads(files.read_text())[name] if files.exists() else [f"--tier-files={files}"]
        command = [sys.executable, "-m", "pytest", *arguments(name, cores(), self._results), *chosen]
        self._began = time.monotonic()
        if output is None:
            print(_heading(name), flush=True)
            self._process = subprocess.Popen(command, cwd=_ROOT)
        else:
            with output.open("wb") as file:
                niced = ["nice", "-n", str(_NICENESS), *command]
                self._process = subprocess.Popen(niced, cwd=_ROOT, stdout=file, stderr=subprocess.STDOUT)
        # Not a thread that is joined: a signal's exception in `join` has it taken for ended (bpo-45274).
        self._ended = threading.Event()
        threading.Thread(target=self._wait).start()

    def _wait(self) -> None:
        _, status, usage = os.wait4(self._process.pid, 0)
        self._wall = time.monotonic() - self._began
        self._cpu = usage.ru_utime + usage.ru_stime
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._ended.set()

    def result(self) -> Result:
        """Once it has ended. Prints the output that is in a file."""
        self._ended.wait()
        if self._output is not None:
            print(_heading(self._name), self._output.read_text(errors="replace"), sep="\n", end="", flush=True)
        return Result(
            tier=self._name,
            status=self._process.returncode,
            counts=Counter(json.loads(self._results.read_text())) if self._results.exists() else Counter(),
            wall=self._wall,
            cpu=self._cpu,
        )

    def end(self, number: int) -> None:
        """Wait until pytest has ended after the signal `number`."""
        if number == signal.SIGTERM and not self._ended.is_set():  # Ctrl-C reaches pytest by itself
            # So that fixtures stop what they started. `Popen.send_signal` could take the status that `_wait` waits for.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGINT)
        self._ended.wait()


def _heading(tier: str) -> str:
    return f"\n{f' {tier} ':#^{_WIDTH}}"


def beside(chosen: Sequence[str], cores: int) -> str | None:
    """The tier that runs beside the others."""
    return _BESIDE if cores > 1 and _BESIDE in chosen and len(chosen) > 1 else None


def run(chosen: Sequence[str], folder: Path, aside: str | None) -> list[Result]:
    """Run tiers, `aside` beside the others; their results in the order of `chosen`."""
    running: dict[str, Tier] = {}
    try:
        if aside:
            running[aside] = Tier(aside, folder, folder / "output")
        results: dict[str, Result] = {}
        for name in chosen:
            if name != aside:
                running[name] = Tier(name, folder)
                results[name] = running[name].result()
        if aside:
            results[aside] = running[aside].result()
    except SystemExit as ended_by:
        for tier in running.values():
            tier.end(int(str(ended_by.code)) - 128)
        raise
    return [results[name] for name in chosen]


def table(results: Sequence[Result]) -> str:
    """Figures by tier. CPU seconds are those of all processes that the tier started and that have ended."""
    rows = [("tier", "tests", "wall s", "CPU s", "status")]
    rows += [
        (each.tier, str(each.counts.total()), f"{each.wall:.0f}", f"{each.cpu:.0f}", str(each.status))
        for each in results
    ]
    return "\n".join(f"{tier:<10}{tests:>8}{wall:>8}{cpu:>8}{status:>8}" for tier, tests, wall, cpu, status in rows)


def closing_line(results: Sequence[Result], wall: float) -> str:
    """Of all tiers together, in pytest's own form. `wall`: seconds that they took."""
    counts = sum((each.counts for each in results), Counter[str]())
    lost = [each.tier for each in results if each.status and not each.counts["failed"] and not each.counts["error"]]
    parts = [f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome]]
    parts += [f"{', '.join(lost)} did not end well"] if lost else []
    return f" {', '.join(parts)} in {wall:.2f}s ".center(_WIDTH, "=")


def _end(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests", description="Run test tiers.")
    parser.add_argument("tier", nargs="*", help=f"{', '.join(TIERS)}; by default {', '.join(DEFAULT)}")
    parser.add_argument("--all", action="store_true", help="every tier")
    parser.add_argument(
        "--in-turn", action="store_true", help="no tier beside others: slower, and fit for a busy machine"
    )
    given = parser.parse_args(words)
    if unknown := set(given.tier) - set(TIERS):
        parser.error(f"no such tier: {', '.join(sorted(unknown))}")
    if given.all:
        os.environ.setdefault("HYPOTHESIS_PROFILE", "thorough")  # tests/functions/conftest.py
    chosen = TIERS if given.all else [each for each in TIERS if each in (given.tier or DEFAULT)]
    left = [each for each in TIERS if each not in chosen]
    aside = None if given.in_turn else beside(chosen, cores())
    for tier in chosen:
        how = " beside the others, at a lower priority; its output follows theirs" if tier == aside else ""
        print(f"{tier:<10}in {workers(tier, cores()) or 1} process(es){how}")
    print(f"left out: {', '.join(left)}; make test-all runs every tier" if left else "every tier", flush=True)
    with tempfile.TemporaryDirectory(prefix="tiers-") as folder:
        os.environ[made_once.FOLDER] = folder
        began = time.monotonic()
        results = run(chosen, Path(folder), aside)
        wall = time.monotonic() - began
    print(f"\n{table(results)}\n{closing_line(results, wall)}", flush=True)
    return next((each.status for each in results if each.status), 0)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    sys.exit(main())
