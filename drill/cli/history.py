"""`dr drill history`: the drills of an environment, compared over time."""

import json
from datetime import datetime

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from drill.cli.options import ROOT, RootOption
from drill.report.history import Outcome, Run, Trend, trends
from drill.report.history import history as read_history
from shared.command_line import EnvOption, JsonOption

_STYLES: dict[Outcome, str] = {
    "passed": "green", "failed": "bold red", "inconclusive": "yellow", "cut off": "bold red", "unreadable": "bold red",
}  # fmt: skip


def history(env: EnvOption = "dev", root: RootOption = ROOT, as_json: JsonOption = False) -> None:
    """Compare the drills of an environment over time."""
    every = read_history(env, root=root)
    if as_json:
        content = {
            "environment": env,
            "runs": [run.model_dump(mode="json") for run in every],
            "trends": [trend.model_dump(mode="json") for trend in trends(every)],
        }
        typer.echo(json.dumps(content))
        return
    if not every:
        typer.echo(f"no drill has run in {env}; `dr drill list` lists the scenarios")
        return
    Console().print(_runs(every), Text(), _trends(trends(every)))


def _runs(every: list[Run]) -> Table:
    made = Table(show_edge=False, pad_edge=False, header_style="dim", box=None)
    for name in ("Began", "Scenario", "Outcome", "Recovery", "of at most", "change", "Lost", "Twice", "First broken"):
        made.add_column(name, overflow="fold", no_wrap=name in ("Began", "Outcome"))
    for run in every:
        undo = f" ({run.left_to_undo} to undo: dr drill cleanup)" if run.left_to_undo else ""
        made.add_row(
            _moment(run.started_at, run.run),
            run.scenario,
            Text(run.outcome, style=_STYLES[run.outcome]),
            _seconds(run.rto_seconds),
            _seconds(run.rto_limit_seconds),
            "-" if run.rto_change_seconds is None else f"{run.rto_change_seconds:+.2f} s",
            _count(run.lost),
            _count(run.duplicated),
            Text((run.first_broken or "") + undo),
        )
    return made


def _trends(every: list[Trend]) -> Table:
    made = Table(show_edge=False, pad_edge=False, header_style="dim", box=None)
    for name in ("Scenario", "Passed", "Last", "Recovery, median", "worst"):
        made.add_column(name)
    for trend in every:
        made.add_row(
            trend.scenario,
            f"{trend.passed} of {trend.runs}",
            Text(trend.last, style=_STYLES[trend.last]),
            _seconds(trend.rto_median_seconds),
            _seconds(trend.rto_worst_seconds),
        )
    return made


def _moment(value: datetime | None, name: str) -> str:
    return value.strftime("%Y-%m-%d %H:%M") if value else name.partition("-")[0]


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"


def _count(value: int | None) -> str:
    return "-" if value is None else str(value)
