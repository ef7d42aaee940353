"""`python -m drill check`: are both regions able to take over now? Exit status 0 if so, 1 if not, 2 if not started."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from drill.cli.options import ENDPOINTS, AsJson, EndpointsFile, Env, Local, found
from drill.preflight.finding import Severity
from drill.preflight.run import Readiness, look
from shared.deployment import Deployment

_STYLES = {Severity.OK: "green", Severity.WARNING: "yellow", Severity.CRITICAL: "bold red"}


def check(
    env: Env = "dev",
    here: Local = False,
    endpoints: EndpointsFile = ENDPOINTS,
    as_json: AsJson = False,
    every: Annotated[float, typer.Option(min=0, help="Repeat at this interval in seconds, until Ctrl-C.")] = 0.0,
) -> None:
    """Check whether each region could take over now. Read-only."""
    deployment = found(env, here=here, endpoints=endpoints)
    readiness = _look(deployment, as_json=as_json)
    try:
        while every:
            time.sleep(every)
            readiness = _look(deployment, as_json=as_json)
    except KeyboardInterrupt:
        raise typer.Exit(readiness.status) from None
    raise typer.Exit(readiness.status)


def _look(deployment: Deployment, *, as_json: bool) -> Readiness:
    """One JSON document a line, so that a program can follow along."""
    readiness = look(deployment, datetime.now(UTC))
    if as_json:
        typer.echo(readiness.model_dump_json())
    else:
        Console().print(table(readiness), Text(conclusion(readiness), style=_STYLES[readiness.worst]))
    return readiness


def table(readiness: Readiness) -> Table:
    """What is not ok comes with what to do about it."""
    made = Table(show_edge=False, pad_edge=False, header_style="dim", box=None)
    made.add_column("")
    made.add_column("Check", overflow="fold")
    made.add_column("Evidence and what to do", overflow="fold", ratio=1)
    for finding in readiness.findings:
        said = Text(finding.evidence)
        if finding.remedy:
            said.append(f"\n→ {finding.remedy}", style="dim")
        made.add_row(Text(finding.severity, style=_STYLES[finding.severity]), Text(finding.name), said)
    return made


def conclusion(readiness: Readiness) -> str:
    counts = {each: sum(finding.severity is each for finding in readiness.findings) for each in Severity}
    regions = " and ".join(readiness.regions.values())
    word = f"READY: {regions} can take over" if readiness.ready else "NOT READY"
    return (
        f"\n{word}. {counts[Severity.CRITICAL]} critical, {counts[Severity.WARNING]} warnings, {counts[Severity.OK]} ok"
    )
