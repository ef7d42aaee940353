"""`dr drill check`: whether each region could take over now. Exits with 1 if one could not."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from drill.cli.options import ENDPOINTS, EndpointsOption, EnvOrLocalOption, find_deployment
from drill.preflight.finding import Severity
from drill.preflight.run import Readiness, check_readiness
from shared.command_line import JsonOption, LocalOption
from shared.deployment import Deployment

_STYLES = {Severity.OK: "green", Severity.WARNING: "yellow", Severity.CRITICAL: "bold red"}


def check(
    env: EnvOrLocalOption = "dev",
    local: LocalOption = False,
    endpoints: EndpointsOption = ENDPOINTS,
    as_json: JsonOption = False,
    every: Annotated[float, typer.Option(min=0, help="Repeat at this interval in seconds, until Ctrl-C.")] = 0.0,
) -> None:
    """Check whether each region could take over now. Read-only."""
    deployment = find_deployment(env, on_this_machine=local, endpoints=endpoints)
    readiness = _observe(deployment, as_json=as_json)
    try:
        while every:
            time.sleep(every)
            readiness = _observe(deployment, as_json=as_json)
    except KeyboardInterrupt:
        raise typer.Exit(readiness.status) from None
    raise typer.Exit(readiness.status)


def _observe(deployment: Deployment, *, as_json: bool) -> Readiness:
    """Runs the checks once and prints them; as JSON, one document per line."""
    readiness = check_readiness(deployment, datetime.now(UTC))
    if as_json:
        typer.echo(readiness.model_dump_json())
    else:
        Console().print(table(readiness), Text(conclusion(readiness), style=_STYLES[readiness.worst]))
    return readiness


def table(readiness: Readiness) -> Table:
    """One row per check, with the remedy if there is one."""
    made = Table(show_edge=False, pad_edge=False, header_style="dim", box=None)
    made.add_column("")
    made.add_column("Check", overflow="fold")
    made.add_column("Evidence and what to do", overflow="fold", ratio=1)
    for finding in readiness.findings:
        evidence = Text(finding.evidence)
        if finding.remedy:
            evidence.append(f"\n→ {finding.remedy}", style="dim")
        made.add_row(Text(finding.severity, style=_STYLES[finding.severity]), Text(finding.name), evidence)
    return made


def conclusion(readiness: Readiness) -> str:
    counts = {each: sum(finding.severity is each for finding in readiness.findings) for each in Severity}
    regions = " and ".join(readiness.regions.values())
    word = f"READY: {regions} can take over" if readiness.ready else "NOT READY"
    return (
        f"\n{word}. {counts[Severity.CRITICAL]} critical, {counts[Severity.WARNING]} warnings, {counts[Severity.OK]} ok"
    )
