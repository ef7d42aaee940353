"""`python -m drill list`: the scenarios there are."""

import json

import typer
from rich.console import Console
from rich.table import Table

from drill.commands.environment import AsJson
from drill.environment_scenarios import ENVIRONMENT_SCENARIOS, GAME_DAY, GAME_DAY_TITLE
from drill.scenarios import SCENARIOS


def list_scenarios(as_json: AsJson = False) -> None:
    """List the available scenarios."""
    if as_json:
        typer.echo(json.dumps([{"name": name, "title": title, "runs on": where} for name, title, where in every()]))
        return
    table = Table(show_edge=False, pad_edge=False, header_style="dim", box=None)
    table.add_column("Scenario", no_wrap=True)
    table.add_column("What it does", overflow="fold")
    table.add_column("Runs on", no_wrap=True)
    for row in every():
        table.add_row(*row)
    Console().print(table)


def every() -> list[tuple[str, str, str]]:
    """Name, title, and where it runs: what needs faults to be made runs on the embedded AWS only."""
    anywhere = {name: each.title for name, each in ENVIRONMENT_SCENARIOS.items()} | {GAME_DAY: GAME_DAY_TITLE}
    return [
        *((name, title, "AWS, local") for name, title in anywhere.items()),
        *((each.name, each.title, "local") for each in SCENARIOS.values()),
    ]
