"""`dr local …`: the command line of the embedded AWS, a program of its own.

`up` and `graph` take an environment of this repository, so they are here; other commands are passed on unchanged.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from shared import local_aws
from shared.command_line import CouldNotStart, EnvOption, NlbTailOption, add_command, command_group
from shared.settings import SettingsError

_DIRECTORY = local_aws.directory()


def run(words: Sequence[str]) -> NoReturn:
    """Replaces this process, so that signals and the exit code are the embedded AWS's own."""
    try:
        local_aws.run(words, name="dr local")
    except SettingsError as error:
        raise CouldNotStart(str(error)) from error


def up(
    env: EnvOption = "dev",
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="AWS seconds per second on this machine.")] = 6.0,
    directory: Annotated[Path, typer.Option(help="Directory of the running environment.")] = _DIRECTORY,
    plain: Annotated[bool, typer.Option("--plain", help="Plain output for logs.")] = False,
    nlb_tail: NlbTailOption = 0.0,
    empty: Annotated[bool, typer.Option("--empty", help="Deploy nothing, for deployments with --local.")] = False,
) -> None:
    """Deploy the three stacks on an embedded AWS and run until Ctrl-C."""
    options = ["--env", env, "--speed", f"{speed:g}", "--directory", str(directory), "--nlb-tail", f"{nlb_tail:g}"]
    run(["up", *options, *(["--plain"] if plain else []), *(["--empty"] if empty else [])])


def graph(env: EnvOption = "dev") -> None:
    """Print the resources that the three programs register, as JSON."""
    run(["graph", "--env", env])


app = command_group("Run an environment on an embedded AWS on this machine.")
add_command(app, "up", up)
add_command(app, "graph", graph)
