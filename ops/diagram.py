"""`python -m ops graph`: writes the diagrams of the documents from what the programs register, or checks that they are
as they would be written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from ops import diagram_architecture, diagram_states, registered
from ops.diagram_model import Diagram
from ops.diagram_svg import svg
from ops.ending import Refused, said

app = typer.Typer(add_completion=False, rich_markup_mode=None)

DIRECTORY = registered.ROOT / "docs" / "diagrams"
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
        wanted = files(registered.rows(env))
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


def files(rows: registered.Rows) -> Mapping[str, str]:
    """Texts by file name."""
    return {f"{name}.svg": svg(diagram) for name, diagram in diagrams(rows).items()}


def diagrams(rows: registered.Rows) -> Mapping[str, Diagram]:
    return {
        "region": diagram_architecture.region(rows),
        "global": diagram_architecture.between_regions(rows),
        **{name: diagram_states.machine(rows, name) for name in WORKFLOWS},
    }


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
