"""Whole rehearsals against a fake with configurable faults, which each verdict must detect."""

import asyncio
import json
import re
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from drill.engine.rehearse import rehearse
from drill.model.errors import CouldNotStart
from drill.model.faults import OutageMode
from drill.observe.progress import Progress
from drill.report.model import Report
from drill.runlog import log
from drill.scenarios.settings import RehearsalSettings
from drill.verdict.verdict import exit_status
from tests.drill.repeating import give_up, of_report
from tests.drill.with_fake import SHORT, fake_command, with_ample_capacity
from tests.tiers import starts

SPEED, RATE = 20.0, 10.0
IN_PROCESS = ("none", "pay-twice", "never-shift", "never-up")
INTERRUPTS = (signal.SIGINT, signal.SIGKILL)
OUTAGE = "load without the primary region"


@dataclass
class CommandLine:
    """A run of the command line that has ended."""

    output: Path
    status: int | None
    printed: str
    children: Sequence[psutil.Process] = ()


@dataclass
class Ended:
    """All runs of this module. They take place at the same time, since they mostly wait."""

    folder: Path
    reports: dict[str, Report | CouldNotStart]
    completed: CommandLine
    interrupted: dict[signal.Signals, CommandLine]

    def report(self, sabotage: str) -> Report:
        found = self.reports[sabotage]
        assert isinstance(found, Report), found
        if found.verdict == "inconclusive":
            give_up(of_report(found))
        return found


async def _in_process(sabotage: str, output: Path, speed: float = SPEED) -> Report | CouldNotStart:
    settings = RehearsalSettings(
        scenario=SHORT, environment="test", speed=speed, given_speed=speed, rate=RATE, given_rate=RATE, duration=None,
        seed=7, outage_mode=OutageMode.ERROR, output=output,
    )  # fmt: skip
    command = fake_command(sabotage, speed=speed, directory=settings.folder / "local")
    try:
        return await rehearse(settings, Progress(title=sabotage, window=1.0), command=command)
    except CouldNotStart as error:
        return error


async def _command_line(sabotage: str, output: Path, interrupt: signal.Signals | None = None) -> CommandLine:
    """Run it to its end, or until `interrupt` in the middle of the outage."""
    options = [
        "--speed",
        SPEED,
        "--rate",
        RATE,
        "--seed",
        7,
        "--env",
        "test",
        "--output",
        output,
    ]
    words = ["-m", "tests.drill.with_fake", sabotage, "rehearse", *map(str, options)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    printed = ""
    children: list[psutil.Process] = []
    try:
        async with asyncio.timeout(600):
            while line := (await process.stdout.readline()).decode():
                printed += line
                if interrupt and OUTAGE in line and not children:
                    children = psutil.Process(process.pid).children(recursive=True)
                    process.send_signal(interrupt)
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
    return CommandLine(output=output, status=process.returncode, printed=printed, children=children)


@pytest.fixture(scope="module")
@starts("stack")  # a rehearsal measures what this machine sustains
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("rehearsals")
    stale = folder / "lose-one/region-loss/report.json"
    stale.parent.mkdir(parents=True)
    stale.write_text("{}")

    async def run() -> Ended:
        in_process, completed, interrupted = await asyncio.gather(
            asyncio.gather(*(_in_process(sabotage, folder / sabotage) for sabotage in IN_PROCESS)),
            _command_line("lose-one", folder / "lose-one"),
            asyncio.gather(*(_command_line("none", folder / number.name, number) for number in INTERRUPTS)),
        )
        reports = dict(zip(IN_PROCESS, in_process, strict=True))
        for sabotage, found in reports.items():
            if isinstance(found, Report) and found.verdict == "inconclusive":
                reports[sabotage] = await _in_process(sabotage, folder / sabotage, SPEED / 2)  # and one at a time
        return Ended(
            folder=folder,
            reports=reports,
            completed=completed,
            interrupted=dict(zip(INTERRUPTS, interrupted, strict=True)),
        )

    with with_ample_capacity():
        return asyncio.run(run())


def missed(found: Report) -> list[str]:
    return [check.name for check in found.checks if not check.met]


def test_a_region_that_fails_over_in_time_passes(ended: Ended) -> None:
    found = ended.report("none")

    assert (found.verdict, found.first_broken, exit_status(found.checks)) == ("passed", None, 0)
    assert found.payments.acknowledged == found.payments.in_journal > 40
    assert (found.payments.lost, found.payments.duplicated) == (0, 0)
    assert found.traffic.rto_seconds is not None
    assert found.traffic.rto_seconds > 0.2
    assert found.limits.rto_limit_seconds == pytest.approx(42 / found.speed)
    assert set(found.traffic.by_region) == {"us-east-1", "us-east-2"}
    assert found.outage is not None
    assert found.outage.calls_refused > 0
    assert found.traffic.ok + found.traffic.failed == found.traffic.sent


def test_one_payment_that_was_acknowledged_and_thrown_away_fails_the_run(ended: Ended) -> None:
    found = Report.model_validate_json((ended.completed.output / "region-loss/report.json").read_text())

    assert (found.verdict, found.payments.lost, exit_status(found.checks)) == ("failed", 1, 1)
    assert missed(found) == ["no acknowledged payment is lost"]
    assert found.first_broken is not None
    assert found.first_broken.startswith("no acknowledged payment is lost: expected 0 lost")
    evidence = found.payments.evidence[0]
    assert re.match(r"region-loss-7-0000\d\d .* was acknowledged, but is absent in us-east-1", evidence)


def test_one_payment_made_twice_fails_the_run(ended: Ended) -> None:
    found = ended.report("pay-twice")

    assert (found.verdict, found.payments.duplicated, found.payments.lost) == ("failed", 1, 0)
    assert missed(found) == ["no payment is made twice"]


def test_a_service_that_stays_down_until_the_region_returns_misses_its_time(ended: Ended) -> None:
    found = ended.report("never-shift")

    assert found.verdict == "failed"
    assert found.traffic.rto_seconds is not None
    assert found.traffic.rto_seconds > found.limits.rto_limit_seconds
    assert "payments are accepted again in time" in missed(found)
    assert "traffic moves to the other region by itself" in missed(found)
    assert found.payments.lost == 0


def test_an_environment_that_does_not_start_is_reported_without_a_report_file(ended: Ended) -> None:
    error = ended.reports["never-up"]

    assert isinstance(error, CouldNotStart)
    assert "the fake refuses to start" in str(error)
    assert not list((ended.folder / "never-up").rglob("report.*"))


def test_the_report_file_has_the_fields_that_others_read(ended: Ended) -> None:
    found: dict[str, Any] = json.loads((ended.folder / "none/region-loss/report.json").read_text())

    assert {"scenario", "environment", "verdict", "started_at", "finished_at", "speed"} <= set(found)
    assert set(found["outage"]) >= {"region", "kind", "at", "healed_at", "calls_refused"}
    assert set(found["traffic"]) >= {
        *("sent", "ok", "failed", "rto_seconds", "longest_gap_seconds", "p50_ms", "p99_ms", "by_region")
    }
    assert set(found["payments"]) >= {"acknowledged", "in_journal", "lost", "duplicated"}
    assert all(set(step) == {"name", "region", "at", "seconds", "outcome", "detail"} for step in found["steps"])
    assert found["outage"]["at"] < found["outage"]["healed_at"]


def test_a_run_leaves_a_valid_run_log_without_pending_rollbacks(ended: Ended) -> None:
    entries = log.read(ended.folder / "none/region-loss")

    kinds = [recorded.entry.kind for recorded in entries]
    assert (kinds[0], kinds[-1]) == ("run started", "run ended")
    assert {"probe", "action begun", "action done", "rollback", "api call", "measure", "verdict"} <= set(kinds)
    assert not log.pending_rollbacks(entries)


def test_a_killed_run_has_pending_rollbacks(ended: Ended) -> None:
    (pending,) = log.pending_rollbacks(log.read(ended.interrupted[signal.SIGKILL].output / "region-loss"))

    assert pending.rollback == {"change": "Recover", "effect": "region-outage", "place": "primary", "service": ""}


def test_the_clients_key_is_in_no_file_and_no_word_of_a_run(ended: Ended) -> None:
    runs = {"none": "", "lose-one": ended.completed.printed} | {
        number.name: run.printed for number, run in ended.interrupted.items()
    }
    for folder, printed in runs.items():
        (reported,) = (ended.folder / folder).rglob("endpoints.json")
        key = json.loads(reported.read_text())["metadata"]["client_key"]
        files = [path for path in (ended.folder / folder).rglob("*") if path.is_file() and path != reported]
        assert files, f"{folder} left nothing that could be looked at"
        assert not [path for path in files if key.encode() in path.read_bytes()]
        assert key not in printed
    assert key not in str(ended.report("none"))


def test_a_run_reports_that_the_database_was_not_exercised(ended: Ended) -> None:
    assert any(sentence.startswith("Database failover") for sentence in ended.report("none").not_exercised)
    assert "Not exercised" in (ended.folder / "none/region-loss/report.html").read_text()


def test_the_processes_of_a_run_are_measured(ended: Ended) -> None:
    resources = ended.report("none").resources

    assert resources.peak_processes >= 2, "the drill and the fake"
    assert 50e6 < resources.peak_memory_bytes < 2e9
    assert 0 < sum(resources.processor_share.values()) < resources.cores


def test_the_command_line_ends_with_the_verdict_and_a_table(ended: Ended) -> None:
    printed = " ".join(ended.completed.printed.split())

    assert ended.completed.status == 1, ended.completed.printed
    assert "outage mode reset, seed 7" in printed
    assert (
        "FAILED region-loss on test, seed 7 no acknowledged payment is lost: expected 0 lost, found 2 lost" in printed
    )
    assert "MISSED" in printed


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_an_interrupted_rehearsal_leaves_no_process_and_no_verdict(
    ended: Ended, number: signal.Signals, status: int
) -> None:
    run = ended.interrupted[number]

    assert run.status == status, run.printed
    assert len(run.children) >= 1, "the fake"
    end = time.monotonic() + 60
    while any(child.is_running() for child in run.children) and time.monotonic() < end:
        time.sleep(0.02)
    assert not any(child.is_running() for child in run.children)
    assert not (run.output / "region-loss/report.json").exists()


def test_an_interrupted_rehearsal_brings_the_region_back_first(ended: Ended) -> None:
    printed = ended.interrupted[signal.SIGINT].printed

    assert "bring the primary region back (us-east-1) done" in printed
    assert "Interrupted; every change was rolled back." in printed
