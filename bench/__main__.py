"""`python -m bench`: the cost of deploying several environments and many resources onto one embedded AWS, as tables.

Exits with 1 if the cost grows more than linearly.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench import environments, growth, resources
from bench.environments import Deployed
from bench.growth import Growth
from bench.meter import Meter
from bench.resources import Many
from localaws import launch

app = typer.Typer(add_completion=False)
console = Console()


@app.command()
def main(
    most: Annotated[int, typer.Option(help="environments side by side", min=2)] = 8,
    further: Annotated[int, typer.Option(help="additional resources", min=100)] = 10_000,
    whole: Annotated[bool, typer.Option(help="with traffic, databases and alarms, which use CPU themselves")] = False,
) -> None:
    """Measure on an embedded AWS that is started for the benchmark and stopped afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        launch.start(log_file=Path(folder) / "server.log", profile="full" if whole else "control-plane") as server,
    ):
        made, crowded, few, more = _measure(Meter(server.process.pid), server.endpoint, Path(folder), most, further)
    console.print(_environments([*made, crowded], further), _resources([few, more]))
    grown = [*growth.of_environments(made, crowded, further), *growth.of_resources(few, more)]
    console.print(_growth(grown))
    raise typer.Exit(0 if all(each.is_linear for each in grown) else 1)


def _measure(
    meter: Meter, endpoint: str, folder: Path, most: int, further: int
) -> tuple[list[Deployed], Deployed, Many, Many]:
    """Environments side by side, one deployed among many additional resources, and those resources: few and many."""
    warm = environments.add(meter, endpoint, "warm", 0)  # loads clients, models and modules
    environments.remove(endpoint, [warm])
    made = environments.side_by_side(meter, endpoint, most, console.print)
    few = resources.many(meter, endpoint, folder, further // 10, console.print)
    among: list[Deployed] = []
    more = resources.many(
        meter,
        endpoint,
        folder,
        further,
        console.print,
        meanwhile=lambda: among.append(environments.add(meter, endpoint, "crowded", most)),
    )
    environments.remove(endpoint, [*made, *among])
    return made, among[0], few, more


def _environments(made: list[Deployed], further: int) -> Table:
    table = _table(
        "Environments side by side", "environments", "resources", "s so far", "s for the last", "ms/resource"
    )
    for name in ("runner CPU s", "server CPU s", "server MB", "processes", "idle CPU %"):
        table.add_column(name, justify="right")
    total = 0.0
    for each in made:
        total += each.cost.seconds
        number = each.beside + 1
        if number & (number - 1) and each is not made[-1]:
            continue  # 1, 2, 4, 8
        table.add_row(
            f"{number} + {further} resources" if each is made[-1] else str(number),
            str(each.resources),
            f"{total:.1f}",
            f"{each.cost.seconds:.2f}",
            f"{1000 * each.cost.seconds / each.resources:.1f}",
            f"{each.cost.runner:.2f}",
            f"{each.cost.server:.2f}",
            str(each.memory),
            str(each.children),
            f"{each.idle:.1f}",
        )
    return table


def _resources(made: list[Many]) -> Table:
    table = _table("Parameters in one program", "count", "step", "s", "ms each", "runner CPU ms", "server CPU ms", "MB")
    for many in made:
        for step, cost in {"create": many.create, "again": many.again, "destroy": many.destroy}.items():
            each = 1000 / many.count
            figures = (cost.seconds * each, cost.runner * each, cost.server * each)
            cells = [f"{figure:.2f}" for figure in figures]
            table.add_row(str(many.count), step, f"{cost.seconds:.1f}", *cells, str(many.memory))
    return table


def _growth(grown: list[Growth]) -> Table:
    table = _table("CPU time of one among many, divided by that of one among few", "of", "ratio", "")
    for each in grown:
        table.add_row(each.what, f"{each.ratio:.2f}", "" if each.is_linear else f"above {growth.MOST:g}")
    return table


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


if __name__ == "__main__":
    app()
