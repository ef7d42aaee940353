"""Several runs of one scenario: distributions of what they measured, the summary's files, and the command."""

import asyncio
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from rich.console import Console

from drill.cli import rehearse as command
from drill.cli.summary import distribution_table, repetition
from drill.engine.rehearse import Outcome, rehearse_all
from drill.model.faults import OutageMode
from drill.report import model, repeated_files
from drill.report.repeated import RESTORED, Repeated, percentile, repeated, repeated_run
from drill.scenarios.settings import RehearsalSettings
from shared.command_line import CouldNotStart, Interrupted
from tests.drill.reports import report
from tests.drill.test_rehearse_all import SPEED
from tests.drill.with_fake import SHORT, fake_command, with_ample_capacity


def measured(seed: int, rto: float, begins: float, **changes: Any) -> Outcome:
    """A run that accepted payments again, and began its failover, after these AWS seconds."""
    traffic = report().traffic.model_copy(update={"rto_aws_seconds": rto})
    moments = [
        model.MomentReport(name="the region us-east-1 is lost", at=15, aws_seconds=0),
        model.MomentReport(name="the failover begins", at=20, aws_seconds=begins, limit_aws_seconds=55),
        model.MomentReport(name="the failover begins", at=30, aws_seconds=begins + 100, limit_aws_seconds=55),
    ]
    made = report(seed=seed, traffic=traffic, moments=moments, **changes)
    return Outcome(scenario="region-loss", seed=seed, seconds=50.0, report=made)


def settings(output: Path, *seeds: int) -> list[RehearsalSettings]:
    return [
        RehearsalSettings(
            scenario=SHORT, environment="test", speed=SPEED, given_speed=SPEED, rate=10, given_rate=10, duration=None,
            seed=seed, outage_mode=OutageMode.ERROR, output=output, is_repeated=True,
        )
        for seed in seeds
    ]  # fmt: skip


def summarized(*outcomes: Outcome, requested: int | None = None) -> Repeated:
    return repetition(settings(Path("out"), 1)[0], outcomes, requested=requested or len(outcomes))


@pytest.mark.parametrize(
    ("count", "percent", "value"),
    [(1, 95, 1), (2, 50, 1), (2, 95, 2), (20, 50, 10), (20, 95, 19), (21, 95, 20), (100, 95, 95)],
)
def test_percentiles_are_values_of_runs(count: int, percent: float, value: float) -> None:
    assert percentile([float(number) for number in range(1, count + 1)], percent) == value


def test_each_duration_has_a_distribution_and_counts_what_is_above_its_limit() -> None:
    summary = summarized(*(measured(seed, rto=seed, begins=40.0 + seed) for seed in range(1, 21)))

    restored, begins = summary.distributions
    assert (restored.name, begins.name) == (RESTORED, "the failover begins")
    assert (restored.least, restored.median, restored.p95, restored.most) == (1, 10, 19, 20)
    assert (begins.count, begins.least, begins.most) == (20, 41, 60), "the first of two in each run"
    assert (begins.limit_aws_seconds, begins.above) == (55, 5)
    assert summary.passed == 20


def test_a_run_without_a_report_is_listed_and_measures_nothing() -> None:
    lost = Outcome(scenario="region-loss", seed=2, seconds=3.0, why="the embedded AWS did not start")

    summary = summarized(measured(1, 4, 40), lost)

    assert (summary.passed, [each.count for each in summary.distributions]) == (1, [1, 1])
    assert (summary.runs[1].outcome, summary.runs[1].problem) == ("no report", "the embedded AWS did not start")


def test_the_picture_has_a_point_for_each_run_inside_its_frame() -> None:
    failed = measured(3, 90, 58, verdict="failed", first_broken="too late")
    picture = repeated_files.strips(summarized(measured(1, 4, 40), measured(2, 6, 44), failed), width=400)

    assert [len(strip.points) for strip in picture.strips] == [3, 3]
    for strip in picture.strips:
        assert picture.left <= strip.least <= strip.median <= strip.p95 <= strip.most <= picture.right
        assert {point.style for point in strip.points} == {"passed", "failed"}
    assert picture.strips[0].points[0].title == "seed 1: 4.0 AWS s"


def test_the_summary_is_written_in_three_formats_without_account_numbers(tmp_path: Path) -> None:
    summary = summarized(measured(1, 4, 40), measured(2, 6, 44, verdict="failed", first_broken="<b> in 123456789012"))

    repeated_files.write(summary, tmp_path)

    html, markdown, json = ((tmp_path / f"repeated.{kind}").read_text() for kind in ("html", "md", "json"))
    assert "123456789012" not in html + markdown + json
    assert "<b>" not in html
    assert 'href="seed-2/report.html"' in html
    assert "| the failover begins | 2 | 40.0 | 40.0 | 44.0 | 44.0 | 55 | 0 |" in markdown
    assert Repeated.model_validate_json(json).distributions == summary.distributions


def test_the_console_names_the_seeds_of_failed_runs() -> None:
    console = Console(width=160, color_system=None)
    with console.capture() as captured:
        console.print(distribution_table(summarized(measured(1, 4, 40), measured(7, 6, 44, verdict="failed")), Path()))

    assert "seed 7: failed" in captured.get()
    assert "1 of 2 runs passed" in captured.get()


def test_each_run_has_an_environment_and_a_folder_of_its_own(tmp_path: Path) -> None:
    shown: list[str] = []

    def view(progress: Any) -> Any:
        shown.append(progress.title)
        return nullcontext()

    with with_ample_capacity():
        outcomes = asyncio.run(
            rehearse_all(
                settings(tmp_path, 11, 12),
                view,
                is_fresh=True,
                command=fake_command("none", speed=SPEED, directory=tmp_path / "local"),
            )
        )

    assert [(outcome.seed, outcome.status) for outcome in outcomes] == [(11, 0), (12, 0)]
    assert shown == ["start", SHORT.title, "start", SHORT.title]
    assert {path.parent.name for path in tmp_path.rglob("report.json")} == {"seed-11", "seed-12"}
    summary = summarized(*outcomes)
    assert {each.name: each.count for each in summary.distributions}[RESTORED] == 2


def test_an_interrupt_keeps_the_finished_runs(tmp_path: Path) -> None:
    async def interrupted(_chosen: Any, _view: Any, *, outcomes: list[Outcome], **_: Any) -> None:
        outcomes.append(measured(1, 4, 40))
        raise asyncio.CancelledError

    with patch.object(command, "run_all", interrupted), pytest.raises(Interrupted):
        command._repeat(Console(quiet=True), settings(tmp_path, 1, 2, 3))

    kept = Repeated.model_validate_json((tmp_path / SHORT.name / "repeated.json").read_text())
    assert (kept.requested, [run.seed for run in kept.runs]) == (3, [1])


@pytest.mark.parametrize(("verdict", "status"), [("passed", 0), ("failed", 1)])
def test_the_exit_status_is_1_if_any_run_failed(tmp_path: Path, verdict: str, status: int) -> None:
    broken = [each.model_copy(update={"met": verdict == "passed"}) for each in report().checks]

    async def done(_chosen: Any, _view: Any, *, outcomes: list[Outcome], **_: Any) -> None:
        outcomes += [measured(1, 4, 40), measured(2, 4, 40, verdict=verdict, checks=broken)]

    with patch.object(command, "run_all", done):
        assert command._repeat(Console(quiet=True), settings(tmp_path, 1, 2)) == status


def test_repeat_takes_one_scenario() -> None:
    with pytest.raises(CouldNotStart, match="--repeat runs one scenario"):
        command.rehearse(every=True, repeat=2)


def test_an_empty_summary_is_drawn() -> None:
    nothing = repeated(
        scenario="x", title="x", environment="x", requested=1,
        runs=[repeated_run(None, seed=1, seconds=1.0, problem="why", folder=Path())],
    )  # fmt: skip

    assert "0 of 1 runs passed" in repeated_files.render_html(nothing)
