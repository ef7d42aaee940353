"""Runs in their folders, compared over time."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drill.__main__ import app
from drill.report import files
from drill.report.history import history, trends
from drill.runlog import folders, log
from drill.runlog.entries import ActionBegun, ApiCall, Entry, Measure, RunStarted, VerdictReached
from drill.runlog.folders import NoRun
from drill.runlog.log import RunLog
from tests.drill.reports import STARTED, report

BEGUN = RunStarted(
    scenario="region-loss", environment="dev", local=True, regions={"primary": "us-east-1"}, plan=("lose", "heal")
)
LOSE = ActionBegun(
    action="a1", name="lose", rollback={"change": "Recover", "effect": "region-outage", "place": "primary"}
)


def folder(root: Path, day: int, scenario: str = "region-loss") -> Path:
    return folders.new_folder("dev", scenario, root=root, now=STARTED + timedelta(days=day))


def reported(root: Path, day: int, rto: float | None, *, scenario: str = "region-loss", **changes: object) -> Path:
    where = folder(root, day, scenario)
    traffic = report().traffic.model_copy(update={"rto_seconds": rto})
    files.write(report(scenario=scenario, traffic=traffic, started_at=STARTED + timedelta(days=day), **changes), where)
    return where


def kept(where: Path, *entries: Entry) -> Path:
    with RunLog.open(where) as opened:
        for entry in entries:
            opened.write(entry)
    return where


def test_runs_are_compared_with_the_one_of_the_same_scenario_before(tmp_path: Path) -> None:
    reported(tmp_path, 1, 4.0)
    reported(tmp_path, 2, 1.0, scenario="partition")
    reported(tmp_path, 3, 5.5, verdict="failed", first_broken="too late")
    reported(tmp_path, 4, None, verdict="failed", first_broken="never restored")
    reported(tmp_path, 5, 3.0)

    every = history("dev", root=tmp_path)

    assert [(run.scenario, run.outcome, run.rto_change_seconds) for run in every] == [
        ("region-loss", "passed", None),
        ("partition", "passed", None),
        ("region-loss", "failed", 1.5),
        ("region-loss", "failed", None),
        ("region-loss", "passed", -2.5),
    ]
    assert [(run.lost, run.duplicated, run.rto_limit_seconds) for run in every[:1]] == [(0, 0, 4.4)]
    [loss, partition] = trends(every)
    assert (loss.runs, loss.passed, loss.last, loss.rto_median_seconds, loss.rto_worst_seconds) == (
        4,
        2,
        "passed",
        4,
        5.5,
    )
    assert partition.scenario == "partition"


def test_a_report_of_an_older_version_is_still_compared(tmp_path: Path) -> None:
    where = reported(tmp_path, 1, 4.0)
    content = json.loads((where / files.JSON_NAME).read_text())
    for name in ("resources", "database", "bounded_by", "payments"):
        content.pop(name, None)
    (where / files.JSON_NAME).write_text(json.dumps(content))

    [run] = history("dev", root=tmp_path)

    assert (run.outcome, run.rto_seconds, run.lost) == ("passed", 4.0, 0)


def test_a_killed_run_is_recognized_by_its_run_log(tmp_path: Path) -> None:
    kept(folder(tmp_path, 1), BEGUN, LOSE)
    kept(folder(tmp_path, 2), BEGUN, Measure(name="rpo", value=0.0, unit="s"), VerdictReached(verdict="failed"))
    folder(tmp_path, 3)

    killed, judged, empty = history("dev", root=tmp_path)

    assert (killed.outcome, killed.left_to_undo) == ("cut off", 1)
    assert killed.first_broken == "it was cut off without a verdict, last entry 2: action begun"
    assert (judged.outcome, judged.measures) == ("failed", {"rpo": 0.0})
    assert (empty.outcome, empty.first_broken) == ("cut off", "it left no run log")


def test_calls_to_aws_are_counted(tmp_path: Path) -> None:
    calls = [
        ApiCall(service="rds", operation="SwitchoverGlobalCluster", region="eu-west-1", outcome=outcome, seconds=0.1)
        for outcome in ("ok", "ThrottlingException")
    ]
    kept(reported(tmp_path, 1, 4.0), BEGUN, *calls)

    [run] = history("dev", root=tmp_path)

    assert (run.api_calls, run.api_errors) == (2, 1)


def test_an_unreadable_or_invalid_run_log_is_reported(tmp_path: Path) -> None:
    changed = kept(reported(tmp_path, 1, 4.0), BEGUN, LOSE) / log.NAME
    changed.write_text(changed.read_text().replace("region-loss", "region-lost"))
    (reported(tmp_path, 2, 4.0) / files.JSON_NAME).write_text('{"scenario": 1}')

    found = history("dev", root=tmp_path)

    assert [run.outcome for run in found] == ["unreadable", "unreadable"]
    assert [str(run.first_broken).partition(" of ")[0] for run in found] == ["line 1", "report.json is no report: 4"]


def test_runs_of_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    made = [folders.new_folder("dev", "partition", root=tmp_path, now=moment) for _ in range(2)]

    assert [each.name for each in made] == ["20260102T030405Z-partition", "20260102T030405Z-partition-2"]
    assert folders.folders("dev", root=tmp_path) == made
    assert folders.chosen("dev", None, root=tmp_path) == made[-1]
    with pytest.raises(NoRun, match="dev has no run x; the last are 20260102T030405Z-partition, "):
        folders.chosen("dev", "x", root=tmp_path)
    with pytest.raises(NoRun, match="no drill has run in prod"):
        folders.chosen("prod", None, root=tmp_path)


def test_the_history_is_shown_as_a_table_and_as_json(tmp_path: Path) -> None:
    reported(tmp_path, 1, 4.0)
    kept(folder(tmp_path, 2), BEGUN, LOSE)
    words = ["history", "--env", "dev", "--root", str(tmp_path)]

    shown = CliRunner(env={"COLUMNS": "200"}).invoke(app, words)
    listed = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)

    assert shown.exit_code == 0
    for phrase in ("passed", "4.00 s", "cut off", "(1 to undo: dr drill cleanup)", "1 of 2"):
        assert phrase in shown.stdout
    assert [run["outcome"] for run in listed["runs"]] == ["passed", "cut off"]
    assert listed["trends"][0]["runs"] == 2


def test_a_report_is_shown_again_with_its_journal_verified(tmp_path: Path) -> None:
    where = kept(reported(tmp_path, 1, 4.0), BEGUN, LOSE)
    (where / files.MARKDOWN_NAME).unlink()
    words = ["report", "--env", "dev", "--root", str(tmp_path)]

    good = CliRunner().invoke(app, words)
    (where / log.NAME).write_text((where / log.NAME).read_text().replace("lose", "love"))
    bad = CliRunner().invoke(app, words)
    none = CliRunner().invoke(app, ["report", "--env", "prod", "--root", str(tmp_path)])

    assert good.exit_code == 0
    assert "2 entries, unchanged since they were written" in " ".join(good.stdout.split())
    assert (where / files.MARKDOWN_NAME).exists()
    assert (bad.exit_code, "changed after the run: line 1" in bad.stderr) == (1, True)
    assert none.exit_code == 2


def test_no_shape_of_a_report_holds_a_secret_or_an_account(tmp_path: Path) -> None:
    payments = report().payments.model_copy(update={"evidence": ["arn:aws:sns:us-east-1:210987654321:t by hunter22x"]})
    files.write(report(payments=payments), tmp_path, secrets=["hunter22x"])

    for path in tmp_path.iterdir():
        text = path.read_text()
        assert "210987654321" not in text, path.name
        assert "hunter22x" not in text, path.name
    assert "********4321" in (tmp_path / files.JSON_NAME).read_text()
