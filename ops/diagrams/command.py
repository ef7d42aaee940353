"""`dr graph`: writes the diagrams in docs/ from the registered resources, or checks that they are current."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from ops.diagrams import architecture, workflows
from ops.diagrams.model import Diagram
from ops.diagrams.svg import svg
from ops.environment import resource_graph
from shared.command_line import Refused

DIRECTORY = resource_graph.ROOT / "docs" / "diagrams"
WORKFLOWS = ("failover", "failback")
# The environment makes no difference to the diagrams but in counts; it is fixed so that the files do not change.
ENVIRONMENT = "prod"


def graph(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if a file is not current.")
    ] = False,
    directory: Annotated[Path, typer.Option(help="Directory of the files.", show_default="docs/diagrams")] = DIRECTORY,
    env: Annotated[str, typer.Option("--env", help="Environment to draw.")] = ENVIRONMENT,
) -> None:
    """Write the diagrams of the documentation.

    They are drawn from the resources that the programs register, as SVG files.
    """
    wanted = files(resource_graph.rows(env))
    stale = [name for name, text in wanted.items() if _read(directory / name) != text]
    gone = sorted(path.name for path in directory.glob("*.*") if path.name not in wanted)
    if check:
        if stale or gone:
            raise Refused(f"{', '.join([*stale, *gone])} in {directory.name} are not current; run `make graph`")
        typer.echo(f"{len(wanted)} diagrams are current")
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
