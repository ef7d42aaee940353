"""`python -m ops graph`: writes the diagrams of the documents from what the programs register, or checks that they are
as they would be written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from ops.cli.errors import Refused, said
from ops.diagrams import architecture, workflows
from ops.diagrams.model import Diagram
from ops.diagrams.svg import svg
from ops.environment import resource_graph

app = typer.Typer(add_completion=False, rich_markup_mode=None)

DIRECTORY = resource_graph.ROOT / "docs" / "diagrams"
WORKFLOWS = ("failover", "failback")
# Which environment is drawn makes no difference but to counts; one is needed, so that the files do not change.
ENVIRONMENT = "prod"


@app.command("graph")
def graph(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if a file would change.")] = False,
    directory: Annotated[Path, typer.Option(help="Directory of the files.")] = DIRECTORY,
    env: Annotated[str, typer.Option("--env", help="Environment to draw.")] = ENVIRONMENT,
) -> None:
    """Write docs/diagrams from what the programs register, as SVG."""
    with said():
        wanted = files(resource_graph.rows(env))
        stale = [name for name, text in wanted.items() if _read(directory / name) != text]
        gone = sorted(path.name for path in directory.glob("*.*") if path.name not in wanted)
        if check:
            if stale or gone:
                raise Refused(f"{', '.join([*stale, *gone])} in {directory.name} are stale; run `make graph`")
            typer.echo(f"{len(wanted)} diagrams are as the programs register")
            return
        directory.mkdir(parents=True, exist_ok=True)
        for name in gone:
            (directory / name).unlink()
        for name, text in wanted.items():
            (directory / name).write_text(text)
        typer.echo(f"{len(wanted)} diagrams in {directory}, {len(stale)} changed")


def files(rows: resource_graph.Rows) -> Mapping[str, str]:
    """Texts by file name."""
    return {f"{name}.svg": svg(diagram) for name, diagram in diagrams(rows).items()}


def diagrams(rows: resource_graph.Rows) -> Mapping[str, Diagram]:
    return {
        "region": architecture.region(rows),
        "global": architecture.between_regions(rows),
        **{name: workflows.machine(rows, name) for name in WORKFLOWS},
    }


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
