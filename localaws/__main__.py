"""The command line of the embedded AWS: `python -m localaws`.

Commands that deploy or register load the runner themselves: Pulumi takes a second that an outage should not wait for.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from localaws.cli import display, redeploy
from localaws.cli.running import Failed, NotPossible, Running
from localaws.core.outages import OutageKind

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="An embedded AWS with two regions on this machine.",
    rich_markup_mode=None,
)

Directory = Annotated[Path, typer.Option(help="Directory of the running environment.")]
Environment = Annotated[str, typer.Option("--env", help="Environment to deploy, as in Pulumi.<env>.yaml.")]
Region = Annotated[str, typer.Argument(help="A region such as us-east-1.")]

HERE = Path("build/local")


@app.command()
def up(
    env: Environment = "dev",
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="AWS seconds per second of this machine.")] = 1.0,
    directory: Directory = HERE,
    plain: Annotated[bool, typer.Option("--plain", help="Plain output for logs.")] = False,
) -> None:
    """Start the embedded AWS, deploy the three stacks and run until Ctrl-C."""
    from localaws.cli import up as cli_up

    with _said_in_one_line():
        cli_up.up(env, speed, directory, display.Display(Console(), plain=plain))


@app.command()
def outage(
    region: Region,
    kind: Annotated[OutageKind, typer.Option(help="How it fails: error, reset or hang.")] = OutageKind.ERROR,
    directory: Directory = HERE,
) -> None:
    """Start an outage of a region."""
    with _said_in_one_line():
        Running.in_directory(directory).post("outage", {"region": region, "kind": kind})
    typer.echo(f"{region} is lost ({kind}); recover it with `python -m localaws recover {region}`")


@app.command()
def recover(region: Region, directory: Directory = HERE) -> None:
    """End a region's outage."""
    with _said_in_one_line():
        Running.in_directory(directory).post("heal", {"region": region})
    typer.echo(f"{region} recovered")


@app.command()
def status(
    directory: Directory = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show regions, accelerators, targets, health checks, databases and the replication backlog."""
    with _said_in_one_line():
        running = Running.in_directory(directory)
        told = running.get("status")
    if as_json:
        typer.echo(json.dumps(told, indent=2))
    else:
        Console().print(display.status(told, running.content))


@app.command()
def deploy(
    stack: Annotated[list[str] | None, typer.Option(help="Name of a stack; all by default.")] = None,
    directory: Directory = HERE,
) -> None:
    """Run the stack programs again on the running environment and print the changes as JSON."""
    with _said_in_one_line():
        told = redeploy.ask(directory, stack or ())
        typer.echo(json.dumps(told, indent=2))
        if "error" in told:
            raise Failed(told["error"])


@app.command()
def partition(one: Region, other: Region, directory: Directory = HERE) -> None:
    """Partition two regions from each other; both still serve clients."""
    with _said_in_one_line():
        Running.in_directory(directory).post("cut", {"between": [one, other]})
    typer.echo(f"{one} and {other} are partitioned; end it with `python -m localaws heal-partition {one} {other}`")


@app.command("heal-partition")
def heal_partition(one: Region, other: Region, directory: Directory = HERE) -> None:
    """End a partition."""
    with _said_in_one_line():
        Running.in_directory(directory).post("join", {"between": [one, other]})
    typer.echo(f"{one} and {other} reach each other")


@app.command()
def database(
    region: Region,
    down: Annotated[bool, typer.Option("--down/--up", help="Start the outage, or end it.")] = True,
    directory: Directory = HERE,
) -> None:
    """Start or end an outage of the database of a region."""
    with _said_in_one_line():
        Running.in_directory(directory).post("database", {"region": region, "fault": "down" if down else None})
    typer.echo(f"the database in {region} is {'down' if down else 'there'}")


@app.command()
def lag(
    seconds: Annotated[float | None, typer.Argument(help="AWS seconds; the default if omitted.")] = None,
    directory: Directory = HERE,
) -> None:
    """Set the replication lag of the databases."""
    with _said_in_one_line():
        Running.in_directory(directory).post("lag", {"seconds": seconds})
    typer.echo(f"replication lags by {seconds or 0:g} s")


@app.command()
def speed(
    value: Annotated[float, typer.Argument(help="AWS seconds per second of this machine, up to 100.")],
    directory: Directory = HERE,
) -> None:
    """Change the speed of the running environment; functions cold-start."""
    with _said_in_one_line():
        told = Running.in_directory(directory).post("clock", {"speed": value})
    typer.echo(f"{told['speed']:g} AWS seconds pass in one second here")


@app.command("graph")
def show_graph(env: Environment = "dev") -> None:
    """Print all resources registered by the three programs as JSON."""
    from localaws.engine import DeployError, graph

    with _said_in_one_line():
        try:
            rows = graph(env)
        except DeployError as error:
            raise Failed(str(error)) from error
    typer.echo(json.dumps(rows, indent=2))


@app.command()
def down(directory: Directory = HERE) -> None:
    """Stop the running embedded AWS."""
    with _said_in_one_line():
        Running.in_directory(directory).end()
    typer.echo("the embedded AWS has ended")


@contextmanager
def _said_in_one_line() -> Iterator[None]:
    """A command that cannot be carried out says why and ends with 2; one that failed on the way ends with 1."""
    try:
        yield
    except NotPossible as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except Failed as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    app()
