"""The options that name an environment, and finding it or ending with the reason."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from drill.runlog import folders
from shared.deployment import Deployment, DeploymentError
from shared.deployment_search import LOCAL_ENDPOINTS, deployed, local

LOCAL = "local"
"""`--env local` means whatever runs on this machine."""

Env = Annotated[str, typer.Option("--env", help="Pulumi stack name of the environment, or `local`.")]
Local = Annotated[bool, typer.Option("--local", help="Use the environment started by `make local-up`.")]
EndpointsFile = Annotated[Path, typer.Option("--endpoints", help="Path of the local environment's endpoints.json.")]
Root = Annotated[Path, typer.Option("--root", help="Directory of the run folders.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

ENDPOINTS = LOCAL_ENDPOINTS
ROOT = folders.ROOT


def found(env: str, *, here: bool, endpoints: Path) -> Deployment:
    """The environment, or the end with status 2."""
    try:
        if here or env == LOCAL:
            return local(None if env == LOCAL else env, file=endpoints)
        return deployed(env)
    except DeploymentError as error:
        raise end(2, f"Not started: {error}") from error


def agree(question: str, *names: str) -> None:
    """Go on only when one of the environment's `names` is typed, else end with status 2: 1 would be a verdict."""
    try:
        typed = typer.prompt(question)
    except typer.Abort as error:  # Ctrl-C, or nobody there to type
        raise end(2, "Not started: no name was typed; --yes agrees beforehand") from error
    if typed not in names:
        raise end(2, "Not started: that is another name")


def end(status: int, message: str) -> typer.Exit:
    """Print `message` as an error; what to raise to exit with `status`."""
    print_error(message)
    return typer.Exit(status)


def print_error(message: str) -> None:
    """On standard error, so that standard output stays what was asked for."""
    Console(stderr=True).print(message, style="bold red", highlight=False, markup=False, soft_wrap=True)
