"""The files of a summary of several runs: HTML with a strip of points for each duration, Markdown, and JSON."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from drill.report.charts import MARGIN_RIGHT, Tick, nice_step
from drill.report.files import replace_file
from drill.report.markdown import table
from drill.report.repeated import Distribution, Repeated
from drill.runlog.log import Redactor

HTML_NAME, MARKDOWN_NAME, JSON_NAME = "repeated.html", "repeated.md", "repeated.json"
_WIDTHS = {"wide": 1040.0, "narrow": 400.0}
_LEFT = 12.0
_ROW, _LABEL, _AXIS = 46.0, 16.0, 34.0  # pixels


@dataclass(frozen=True, kw_only=True)
class Point:
    """One run's value."""

    x: float
    style: str  # the run's outcome
    title: str


@dataclass(frozen=True, kw_only=True)
class Strip:
    """The values of one duration on the common axis, from the least to the greatest; `y` is of their line."""

    distribution: Distribution
    y: float
    least: float
    median: float
    p95: float
    most: float
    limit: float | None
    points: list[Point]


@dataclass(frozen=True, kw_only=True)
class Strips:
    """All strips, in pixels of a picture `width` by `height`."""

    width: float
    height: float
    left: float
    right: float
    bottom: float
    strips: list[Strip]
    x_ticks: list[Tick]


def strips(summary: Repeated, *, width: float) -> Strips:
    """Every duration on one axis that begins at the loss."""
    right = width - MARGIN_RIGHT
    shown = [each.most for each in summary.distributions]
    shown += [each.limit_aws_seconds for each in summary.distributions if each.limit_aws_seconds is not None]
    longest = max(shown, default=1.0) * 1.02

    def x(seconds: float) -> float:
        return _LEFT + seconds / longest * (right - _LEFT)

    rows = []
    for number, each in enumerate(summary.distributions):
        points = [
            Point(x=x(found.aws_seconds), style=run.outcome, title=f"seed {run.seed}: {found.aws_seconds:.1f} AWS s")
            for run in summary.runs
            for found in run.measurements
            if found.name == each.name
        ]
        rows.append(
            Strip(
                distribution=each,
                y=number * _ROW + _LABEL + 14,
                least=x(each.least),
                median=x(each.median),
                p95=x(each.p95),
                most=x(each.most),
                limit=None if each.limit_aws_seconds is None else x(each.limit_aws_seconds),
                points=points,
            )
        )
    bottom = len(rows) * _ROW
    step = nice_step(longest, max(4, int(width / 110)))
    ticks = [Tick(at=x(index * step), label=f"{index * step:g}") for index in range(int(longest / step) + 1)]
    return Strips(
        width=width, height=bottom + _AXIS, left=_LEFT, right=right, bottom=bottom, strips=rows, x_ticks=ticks
    )


def render_html(summary: Repeated) -> str:
    environment = Environment(
        loader=PackageLoader("drill.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pictures = {name: strips(summary, width=width) for name, width in _WIDTHS.items()}
    return environment.get_template("repeated.html.j2").render(summary=summary, pictures=pictures)


def render_markdown(summary: Repeated) -> str:
    figures = (
        (
            each.name,
            str(each.count),
            *(f"{value:.1f}" for value in (each.least, each.median, each.p95, each.most)),
            "-" if each.limit_aws_seconds is None else f"{each.limit_aws_seconds:g}",
            str(each.above),
        )
        for each in summary.distributions
    )
    runs = (
        (
            str(run.seed),
            run.outcome,
            "-" if run.speed is None else f"{run.speed:g}",
            "-" if run.lost is None else f"{run.lost} / {run.duplicated}",
            run.problem,
        )
        for run in summary.runs
    )
    parts = [
        f"# {summary.title}: {summary.passed} of {len(summary.runs)} runs passed",
        f"`{summary.scenario}` on `{summary.environment}`, {summary.requested} runs requested; AWS s since the loss:",
        table(("Duration", "Runs", "Min", "Median", "p95", "Max", "Limit", "Above"), figures),
        "## Runs",
        table(("Seed", "Outcome", "Speed", "Lost / twice", "First broken expectation"), runs),
    ]
    return "\n\n".join(parts) + "\n"


_SHAPES: Mapping[str, Callable[[Repeated], str]] = {
    HTML_NAME: render_html,
    MARKDOWN_NAME: render_markdown,
    JSON_NAME: lambda summary: summary.model_dump_json(indent=2) + "\n",
}


def write(summary: Repeated, folder: Path) -> None:
    """Each file whole or not at all, and with account numbers reduced to their last four digits."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = Repeated.model_validate(Redactor(()).tree(summary.model_dump(mode="json")))
    for name, render in _SHAPES.items():
        replace_file(folder / name, render(shown))
