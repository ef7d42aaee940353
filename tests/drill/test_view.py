"""The view of a run, on a terminal and without one."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from drill.cli import live_view
from drill.cli.summary import summary
from drill.load.generator import LoadGenerator
from drill.model.attempts import Attempt, Outcome, Record
from drill.model.status import Status
from drill.observe.progress import FaultPeriod, Progress
from shared.places import Place
from tests.drill.reports import report


class Loaded:
    """A load that stands still: what the view reads of one."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.rate = 10.0
        self.started = 0.0
        self.stopped = None
        self.unsettled = 4


def attempt(at: float, *, ok: bool) -> Attempt:
    outcome = Outcome.OK if ok else Outcome.ERROR
    return Attempt(intent=0, sent=at, seconds=0.01, outcome=outcome, region="us-east-1" if ok else None)


def progress(*, failing: bool, monkeypatch: pytest.MonkeyPatch) -> Progress:
    """Ten seconds into a run; us-east-1 was lost at 8 s."""
    made = Progress(title="x", rto_limit=4.4, regions={Place.PRIMARY: "us-east-1", Place.SECONDARY: "us-east-2"})
    monkeypatch.setattr(made, "started", made.started - 10)
    attempts = [attempt(n / 10, ok=n < 80 or not failing) for n in range(100)]
    load: LoadGenerator = Loaded(Record(attempts=attempts))  # type: ignore[assignment]
    made.load = load
    made.faults.append(FaultPeriod(name="x", region="us-east-1", kind="reset", at=8.0, is_loss=True))
    made.status = Status.model_validate(
        {
            "regions": {"us-east-1": {"outage": {"kind": "reset"}}, "us-east-2": {"outage": None}},
            "targets": [
                {"region": "us-east-1", "target_group": "t", "state": "unhealthy"},
                {"region": "us-east-2", "target_group": "t", "state": "healthy"},
            ],
            "replication": {"backlog": {"us-east-1": 12}},
        }
    )
    return made


def screen(made: Progress) -> str:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None, legacy_windows=False)
    with made.stage("load without the primary region"), live_view.view(made, console):
        pass
    output = console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue()


def test_the_screen_shows_stages_regions_rates_and_time_against_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    shown = screen(progress(failing=True, monkeypatch=monkeypatch))

    assert "load without the primary region" in shown
    assert "lost (reset)" in shown
    assert "unhealthy" in shown
    assert "10/s offered" in shown
    assert "interrupted for 2." in shown
    assert "of 4.4 s allowed" in shown


def test_the_screen_shows_when_no_client_was_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    assert "Service: uninterrupted" in screen(progress(failing=False, monkeypatch=monkeypatch))


def test_in_a_pipeline_a_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    console = Console(file=io.StringIO(), force_terminal=True, width=40)
    made = Progress(title="x")

    with (
        live_view.view(made, console),
        made.stage("a stage whose line is longer than the terminal", region="us-east-1"),
    ):
        made.line("deploying [red]x[/red]")

    output = console.file
    assert isinstance(output, io.StringIO)
    lines = output.getvalue().splitlines()
    assert lines[0].endswith("s  a stage whose line is longer than the terminal (us-east-1) …")
    assert lines[1].endswith("deploying [red]x[/red]")
    assert "done in 0.0 s" in lines[2]
    assert "\x1b" not in output.getvalue()


def test_the_line_of_a_failed_stage_has_the_reason() -> None:
    console = Console(file=io.StringIO(), width=200)
    made = Progress(title="x")

    with pytest.raises(ValueError, match="no port"), live_view.view(made, console), made.stage("start"):
        raise ValueError("no port")

    output = console.file
    assert isinstance(output, io.StringIO)
    assert "start failed in 0.0 s: no port" in output.getvalue()


def test_the_table_at_the_end_has_the_verdict_and_where_the_report_is() -> None:
    console = Console(file=io.StringIO(), width=120)

    console.print(summary(report(verdict="failed", first_broken="nothing is lost: found 1"), Path("build/r")))

    output = console.file
    assert isinstance(output, io.StringIO)
    for phrase in ("FAILED", "nothing is lost: found 1", "build/r/report.html", "p50 20 ms", "Database failover"):
        assert phrase in output.getvalue()


def test_the_screen_shows_databases_and_workflows_and_only_as_many_steps_as_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CI", raising=False)
    made = progress(failing=False, monkeypatch=monkeypatch)
    made.status = Status.model_validate(
        {
            "databases": [
                {"region": "us-east-1", "role": "writer", "running": False},
                {"region": "us-east-2", "role": "reader", "running": True, "lag_seconds": 12.34},
            ],
            "workflows": [
                {"machine": "failover-secondary-dev", "region": "us-east-2", "name": "failover-1", "status": "RUNNING"},
                {"machine": "failback-secondary-dev", "region": "us-east-2", "name": "done", "status": "SUCCEEDED"},
            ],
        }
    )
    for number in range(40):
        with made.stage(f"step {number}"):
            pass

    shown = screen(made)

    for phrase in ("writer, down", "reader, 12.3 s behind", "Failover in us-east-2: failover-1", "earlier steps"):
        assert phrase in shown
    assert "step 39" in shown
    assert "step 3 " not in shown
    assert "done, for" not in shown
