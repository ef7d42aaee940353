"""The tables printed at the end of a run."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from drill.engine.rehearse import Outcome
from drill.report.files import HTML_NAME
from drill.report.model import Report
from drill.report.repeated import Repeated, repeated, repeated_run
from drill.report.repeated_files import HTML_NAME as REPEATED_HTML
from drill.scenarios.settings import RehearsalSettings

_STYLES = {"passed": "bold green", "failed": "bold red", "inconclusive": "bold yellow"}


def summary(report: Report, folder: Path) -> RenderableType:
    """Verdict, checks and key figures of a finished run."""
    verdict = Text.assemble(
        (report.verdict.upper(), _STYLES[report.verdict]),
        f"  {report.scenario} on {report.environment}, seed {report.seed}",
    )
    if report.first_broken:
        verdict.append(f"\n{report.first_broken}", style="red")
    if report.first_try:
        verdict.append(f"\nThe second run, at half the speed; the first may have been too fast: {report.first_try}")
    return Group(Text(), verdict, _checks(report), _figures(report), Text(f"Report: {folder / HTML_NAME}"))


def outcome_table(outcomes: Sequence[Outcome], output: Path) -> RenderableType:
    """The outcome of each scenario, one row each."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "Scenario", "Took", "Acknowledged", "Lost", "Twice", "Interrupted", "First broken expectation"):
        right = heading in ("Took", "Acknowledged", "Lost", "Twice", "Interrupted")
        table.add_column(heading, justify="right" if right else "left", overflow="fold", no_wrap=right)
    for outcome in outcomes:
        report = outcome.report
        if report is None:
            table.add_row(Text("no verdict", style="bold red"), outcome.scenario, f"{outcome.seconds:.0f} s",
                          "", "", "", "", outcome.why)  # fmt: skip
            continue
        seconds = report.traffic.rto_aws_seconds
        table.add_row(
            Text(report.verdict, style=_STYLES[report.verdict]),
            outcome.scenario,
            f"{outcome.seconds:.0f} s",
            str(report.payments.acknowledged),
            str(report.payments.lost),
            str(report.payments.duplicated),
            "for good" if seconds is None else f"{seconds:.1f} AWS s" if seconds else "no",
            report.first_broken or "",
        )
    failed = sum(outcome.status != 0 for outcome in outcomes)
    conclusion = (
        f"{len(outcomes) - failed} of {len(outcomes)} scenarios met every expectation. Reports: {output}/*/{HTML_NAME}"
    )
    return Group(Text(), table, Text(), Text(conclusion, style="bold red" if failed else "bold green"))


def repetition(settings: RehearsalSettings, outcomes: Sequence[Outcome], *, requested: int) -> Repeated:
    """The summary of runs of one scenario. An outcome without a seed is that of an environment's end."""
    runs = [
        repeated_run(
            each.report, seed=each.seed, seconds=each.seconds, problem=each.why, folder=Path(f"seed-{each.seed}")
        )
        for each in outcomes
    ]
    scenario = settings.scenario
    return repeated(
        scenario=scenario.name,
        title=scenario.title,
        environment=settings.environment,
        requested=requested,
        runs=runs,
    )


def distribution_table(summarized: Repeated, folder: Path) -> RenderableType:
    """Each duration over all runs, and the runs that did not pass."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Duration in AWS s since the loss", overflow="fold")
    for heading in ("Runs", "Min", "Median", "p95", "Max", "Limit", "Above"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in summarized.distributions:
        figures = [f"{value:.1f}" for value in (each.least, each.median, each.p95, each.most)]
        limit = "" if each.limit_aws_seconds is None else f"{each.limit_aws_seconds:g}"
        table.add_row(each.name, str(each.count), *figures, limit, str(each.above) if limit else "")
    failed = [run for run in summarized.runs if run.outcome != "passed"]
    lines = [
        Text(f"seed {run.seed}: {run.outcome}: {run.problem}", style=_STYLES.get(run.outcome, "bold red"))
        for run in failed
    ]
    conclusion = f"{summarized.passed} of {len(summarized.runs)} runs passed. Report: {folder / REPEATED_HTML}"
    return Group(Text(), table, *lines, Text(), Text(conclusion, style="bold red" if failed else "bold green"))


def _checks(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "Expectation", "Expected", "Measured"):
        table.add_column(heading, overflow="fold")
    for check in report.checks:
        if check.met:
            mark = Text("met", style="green")
        else:
            mark = Text("UNCLEAR", style="bold yellow") if check.inconclusive else Text("MISSED", style="bold red")
        table.add_row(mark, check.name, check.expected, check.measured)
    return table


def _figures(report: Report) -> Table:
    traffic, resources = report.traffic, report.resources
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    regions = ", ".join(f"{region} {count}" for region, count in traffic.by_region.items())
    table.add_row("Requests", f"{traffic.sent} sent, {traffic.ok} accepted ({regions}), {traffic.failed} failed")
    table.add_row(
        "Goodput",
        f"{traffic.steady_accepted_per_second:.1f}/s in steady state of {report.rate:g}/s offered, "
        f"{traffic.steady_retries_per_second:.1f}/s retries; {traffic.retries} retries in all",
    )
    if report.why:
        table.add_row("Rate and speed", f"{report.rate:g}/s at speed {report.speed:g}: {report.why}")
    table.add_row(
        "Latency",
        f"p50 {_ms(traffic.p50_ms)}, p99 {_ms(traffic.p99_ms)}; longest gap {traffic.longest_gap_seconds:.2f} s",
    )
    table.add_row("Bounded by", report.bounded_by)
    table.add_row(
        "Peak memory", f"{resources.peak_memory_bytes / 2**20:.0f} MiB in {resources.peak_processes} processes"
    )
    if resources.starved_share >= 0.01:
        table.add_row("CPU starvation", f"{resources.starved_seconds:.1f} s ({resources.starved_share:.0%} of the run)")
    for sentence in report.not_exercised:
        table.add_row("Not exercised", sentence)
    return table


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"
