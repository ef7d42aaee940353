"""The report as Markdown, for a pull request or a ticket: what was expected, what was measured, what broke first."""

from collections.abc import Iterable, Sequence

from drill.report.model import Report
from drill.verdict.check import CheckReport
from shared.local_aws import Engine

_WORDS = {"passed": "PASSED", "failed": "FAILED", "inconclusive": "INCONCLUSIVE"}


def render(report: Report) -> str:
    parts = [
        f"# {_WORDS[report.verdict]}: {_text(report.title)}",
        _head(report),
        table(
            ("", "Expectation", "Expected", "Measured"),
            ((_outcome(each), each.name, each.expected, each.measured) for each in report.checks),
        ),
        *_evidence(report),
        "## Steps",
        table(
            ("From", "Took", "Step", "Outcome", "Detail"),
            (
                (f"{each.at:.1f} s", f"{each.seconds:.1f} s", each.name, each.outcome, each.detail)
                for each in report.steps
            ),
        ),
        *_moments(report),
        *_links(report),
        *_list("What could not be read", report.trouble),
        *_list("Not exercised", report.not_exercised),
        *_list("Known limits", report.known_limits),
    ]
    return "\n\n".join(parts) + "\n"


def _outcome(check: CheckReport) -> str:
    return "met" if check.met else "*inconclusive*" if check.inconclusive else "**missed**"


def _head(report: Report) -> str:
    regions = ", ".join(f"{region} ({place})" for place, region in report.regions.items())
    seconds = (report.finished_at - report.started_at).total_seconds()
    lines = [f"`{report.scenario}` on `{report.environment}` in {regions}"]
    if report.first_broken:
        lines.append(f"**First broken expectation:** {_text(report.first_broken)}")
    lines.append(
        f"Began {report.started_at:%Y-%m-%d %H:%M:%S} UTC, took {seconds:.0f} s; seed {report.seed}, "
        f"{report.rate:g} payments/s offered, speed {report.speed:g}{_engine(report)}"
    )
    if report.why:
        lines.append(f"Rate and speed: {_text(report.why)}")
    if report.first_try:
        lines.append(f"Second run, at half the speed; the first may have been too fast: {_text(report.first_try)}")
    return "  \n".join(lines)


def _engine(report: Report) -> str:
    return ", deployed by the Pulumi CLI" if report.engine == Engine.PULUMI else ""


def _moments(report: Report) -> list[str]:
    """The system's own actions, with times counted from the first loss."""
    if not report.moments:
        return []
    rows = (
        (
            f"{each.at:.1f} s",
            f"{each.aws_seconds:.0f} AWS s",
            "-" if each.limit_aws_seconds is None else f"{each.limit_aws_seconds:.0f} AWS s",
            each.name,
        )
        for each in report.moments
    )
    return ["## What the system did by itself", table(("At", "After the loss", "At most", "What"), rows)]


def _links(report: Report) -> list[str]:
    if not report.links:
        return []
    rows = (
        (
            each.name,
            *("-" if value is None else f"{value:.1f}" for value in (each.budget_aws_seconds, each.aws_seconds)),
            each.source,
        )
        for each in report.links
    )
    return ["## Time budget, link by link", table(("Link", "Budget, AWS s", "Measured, AWS s", "Source"), rows)]


def _evidence(report: Report) -> list[str]:
    return _list("Evidence", report.payments.evidence)


def _list(title: str, sentences: Sequence[str]) -> list[str]:
    if not sentences:
        return []
    return [f"## {title}", "\n".join(f"- {_text(each)}" for each in sentences)]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are shown as they are."""
    lines = [head, ["---"] * len(head), *([_cell(each) for each in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """A bar would end the cell, a line the row."""
    return _text(text).replace("|", "\\|").replace("\n", " ") if not text.startswith("**") else text


def _text(text: str) -> str:
    """Text from AWS as literal text, never as markup."""
    return text.replace("<", "&lt;").replace("`", "'").replace("*", "\\*")
