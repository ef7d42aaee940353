"""Runs the test tiers one after the other: `python -m tests` those of `make test`, `--all` every one, or by name.

Unit tests and those on an embedded AWS run in parallel, on as many cores as this process may use; what measures time
runs alone. All tiers run even if one fails; the exit status is the first failed one's. SIGINT and SIGTERM end
the run, with status 130 and 143.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import made_once
from tests.tiers import DEFAULT, OUTCOMES, TIERS

_ROOT = Path(__file__).resolve().parents[1]
_MOST_SERVERS = 2  # on which the emulator tier was found to be stable
_WIDTH = 80


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a tier ended: pytest's exit status, tests by outcome, wall and CPU seconds. Counts are empty if pytest could
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
    """Of pytest. A module on an embedded AWS stays in one process, as its tests share what its fixtures deploy."""
    distributed = {"unit": "worksteal", "emulator": "loadfile"}
    parallel = workers(tier, cores)
    how = ["-n", str(parallel), "--dist", distributed[tier]] if parallel else []
    return ["-m", tier, "--results", str(results), *how]


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(tier: str, folder: Path) -> Result:
    results, files = folder / f"{tier}.json", folder / "files.json"
    # The first tier collects every file. Later ones need those of their tests only, and collecting all takes a while.
    chosen = json.loads(files.read_text())[tier] if files.exists() else ["--tier-files", str(files)]
    print(f"\n{f' {tier} ':#^{_WIDTH}}", flush=True)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "pytest", *arguments(tier, cores(), results), *chosen]
    process = subprocess.Popen(command, cwd=_ROOT)
    try:
        status = process.wait()
    except SystemExit as ended_by:
        if ended_by.code == 128 + signal.SIGTERM:  # Ctrl-C reaches pytest by itself
            process.send_signal(signal.SIGINT)  # so that fixtures stop what they started
        process.wait()
        raise
    after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    return Result(
        tier=tier,
        status=status,
        counts=Counter(json.loads(results.read_text())) if results.exists() else Counter(),
        wall=ended - began,
        cpu=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    )


def table(results: Sequence[Result]) -> str:
    """Figures by tier. CPU seconds are those of all processes that the tier started and that have ended."""
    rows = [("tier", "tests", "wall s", "CPU s", "status")]
    rows += [
        (each.tier, str(each.counts.total()), f"{each.wall:.0f}", f"{each.cpu:.0f}", str(each.status))
        for each in results
    ]
    return "\n".join(f"{tier:<10}{tests:>8}{wall:>8}{cpu:>8}{status:>8}" for tier, tests, wall, cpu, status in rows)


def closing_line(results: Sequence[Result]) -> str:
    """Of all tiers together, in pytest's own form."""
    counts = sum((each.counts for each in results), Counter[str]())
    lost = [each.tier for each in results if each.status and not each.counts["failed"] and not each.counts["error"]]
    parts = [f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome]]
    parts += [f"{', '.join(lost)} did not end well"] if lost else []
    return f" {', '.join(parts)} in {sum(each.wall for each in results):.2f}s ".center(_WIDTH, "=")


def _end(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests", description="Run test tiers one after the other.")
    parser.add_argument("tier", nargs="*", help=f"{', '.join(TIERS)}; by default {', '.join(DEFAULT)}")
    parser.add_argument("--all", action="store_true", help="every tier")
    given = parser.parse_args(words)
    if unknown := set(given.tier) - set(TIERS):
        parser.error(f"no such tier: {', '.join(sorted(unknown))}")
    if given.all:
        os.environ.setdefault("HYPOTHESIS_PROFILE", "thorough")  # tests/functions/conftest.py
    chosen = TIERS if given.all else [each for each in TIERS if each in (given.tier or DEFAULT)]
    left = [each for each in TIERS if each not in chosen]
    for tier in chosen:
        print(f"{tier:<10}in {workers(tier, cores()) or 1} process(es)")
    print(f"left out: {', '.join(left)}; make test-all runs every tier" if left else "every tier", flush=True)
    with tempfile.TemporaryDirectory(prefix="tiers-") as folder:
        os.environ[made_once.FOLDER] = folder
        results = [run(tier, Path(folder)) for tier in chosen]
    print(f"\n{table(results)}\n{closing_line(results)}", flush=True)
    return next((each.status for each in results if each.status), 0)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    sys.exit(main())
