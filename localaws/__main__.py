"""The command line of the embedded AWS: `python -m localaws`.

Commands that deploy or register import the engine themselves: loading Pulumi takes a second, which an outage should not
wait for.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from localaws.cli import display
from localaws.cli.running import COMMAND, Failed, NotPossible, Running, deploy_again
from localaws.core.outages import OutageKind

if TYPE_CHECKING:
    from localaws.engine.project import Plan as DeploymentPlan

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="An embedded AWS with two regions on this machine.",
    rich_markup_mode=None,
)

Directory = Annotated[Path, typer.Option(help="Directory of the running environment.")]
Plan = Annotated[Path, typer.Option(help="File with the deployment plan as JSON; - reads one line of standard input.")]
Region = Annotated[str, typer.Argument(help="A region such as us-east-1.")]

HERE = Path("build/local")


@app.command()
def up(
    plan: Plan,
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="AWS seconds per second of this machine.")] = 1.0,
    nlb_tail: Annotated[
        float, typer.Option(min=0, help="AWS seconds for which load balancers still use an unhealthy target.")
    ] = 0.0,
    directory: Directory = HERE,
    plain: Annotated[bool, typer.Option("--plain", help="Plain output for logs.")] = False,
    owner_fd: Annotated[int | None, typer.Option(help="File descriptor of a pipe; end when it is closed.")] = None,
) -> None:
    """Start the embedded AWS and deploy the programs of a plan.

    Runs until Ctrl-C.
    """
    from localaws.cli import up as cli_up

    with _exit_status():
        cli_up.up(_read(plan), speed, directory, display.Display(Console(), plain=plain), owner_fd, nlb_tail=nlb_tail)


@app.command()
def outage(
    region: Region,
    mode: Annotated[OutageKind, typer.Option("--outage-mode", help="Failure mode of the region.")] = OutageKind.ERROR,
    directory: Directory = HERE,
) -> None:
    """Start an outage of a region."""
    with _exit_status():
        Running.in_directory(directory).post("outage", {"region": region, "kind": mode})
    typer.echo(f"{region} is lost ({mode}); recover it with `{COMMAND} recover {region}`")


@app.command()
def recover(region: Region, directory: Directory = HERE) -> None:
    """End a region's outage."""
    with _exit_status():
        Running.in_directory(directory).post("recover", {"region": region})
    typer.echo(f"{region} recovered")


@app.command()
def status(
    directory: Directory = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the status of the running environment.

    Lists regions, accelerators, targets, health checks, databases and the replication backlog.
    """
    with _exit_status():
        running = Running.in_directory(directory)
        content = running.get("status")
    if as_json:
        typer.echo(json.dumps(content, indent=2))
    else:
        Console().print(display.status(content, running.content))


@app.command()
def deploy(
    stack: Annotated[list[str] | None, typer.Option(help="Name of a stack; all by default.")] = None,
    directory: Directory = HERE,
) -> None:
    """Deploy the stack programs again.

    Works on the running environment, and prints the changes as JSON.
    """
    with _exit_status():
        answer = deploy_again(directory, stack or ())
        typer.echo(json.dumps(answer, indent=2))
        if "error" in answer:
            raise Failed(answer["error"])


@app.command()
def record(directory: Directory = HERE) -> None:
    """Record the outputs of stacks that the Pulumi CLI deployed.

    Reads them as JSON from standard input, and adds them to endpoints.json with their addresses.
    """
    from localaws.cli import recording

    with _exit_status():
        recording.record(directory, json.load(sys.stdin))


@app.command()
def partition(one: Region, other: Region, directory: Directory = HERE) -> None:
    """Partition two regions from each other.

    Both still serve clients.
    """
    with _exit_status():
        Running.in_directory(directory).post("partition", {"between": [one, other]})
    typer.echo(f"{one} and {other} are partitioned; end it with `{COMMAND} heal-partition {one} {other}`")


@app.command("heal-partition")
def heal_partition(one: Region, other: Region, directory: Directory = HERE) -> None:
    """End a partition."""
    with _exit_status():
        Running.in_directory(directory).post("heal-partition", {"between": [one, other]})
    typer.echo(f"{one} and {other} reach each other")


@app.command()
def database(
    region: Region,
    down: Annotated[bool, typer.Option("--down/--up", help="Start the outage, or end it.")] = True,
    directory: Directory = HERE,
) -> None:
    """Start or end an outage of the database of a region."""
    with _exit_status():
        Running.in_directory(directory).post("database", {"region": region, "fault": "down" if down else None})
    typer.echo(f"the database in {region} is {'down' if down else 'there'}")


@app.command()
def lag(
    seconds: Annotated[float | None, typer.Argument(help="AWS seconds; the default if omitted.")] = None,
    directory: Directory = HERE,
) -> None:
    """Set the replication lag of the databases."""
    with _exit_status():
        Running.in_directory(directory).post("lag", {"seconds": seconds})
    typer.echo(f"replication lags by {seconds or 0:g} s")


@app.command()
def speed(
    value: Annotated[float, typer.Argument(help="AWS seconds per second of this machine, up to 100.")],
    directory: Directory = HERE,
) -> None:
    """Change the speed of the running environment.

    Functions cold-start.
    """
    with _exit_status():
        clock = Running.in_directory(directory).post("clock", {"speed": value})
    typer.echo(f"{clock['speed']:g} AWS seconds pass in one second here")


@app.command("graph")
def show_graph(plan: Plan) -> None:
    """Print the resources of a plan's programs as JSON."""
    from localaws.engine import DeployError, graph

    with _exit_status():
        chosen = _read(plan)
        try:
            rows = graph(
                chosen.environment, chosen.programs, config_overrides=chosen.config, secret_keys=chosen.secret_keys
            )
        except DeployError as error:
            raise Failed(str(error)) from error
    typer.echo(json.dumps(rows, indent=2))


@app.command()
def down(directory: Directory = HERE) -> None:
    """Stop the running embedded AWS."""
    with _exit_status():
        Running.in_directory(directory).end()
    typer.echo("the embedded AWS has ended")


def _read(plan: Path) -> "DeploymentPlan":
    from localaws.engine.project import Plan

    try:
        return Plan.parse(sys.stdin.readline() if str(plan) == "-" else plan.read_text())
    except (OSError, ValueError) as error:
        raise NotPossible(str(error)) from error


@contextmanager
def _exit_status() -> Iterator[None]:
    """Print expected errors without a traceback. Exit status 2: the command is not possible; 1: it failed."""
    try:
        yield
    except NotPossible as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except Failed as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    app(prog_name=COMMAND)
