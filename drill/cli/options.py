"""Options of the drill commands, and the lookup of the environment they name."""

from pathlib import Path
from typing import Annotated

import typer

from drill.runlog import folders
from shared.deployment import Deployment
from shared.deployment_search import LOCAL_ENDPOINTS, deployed, local

LOCAL = "local"
"""`--env local` is the environment that runs on this machine."""

EnvOrLocalOption = Annotated[str, typer.Option("--env", help="Environment, by its Pulumi stack name, or `local`.")]
EndpointsOption = Annotated[Path, typer.Option("--endpoints", help="Path of the local environment's endpoints.json.")]
RootOption = Annotated[Path, typer.Option("--root", help="Directory of the run folders.")]
SeedOption = Annotated[
    int | None, typer.Option("--seed", help="Seed of the generated payments; random, and printed, by default.")
]

ENDPOINTS = LOCAL_ENDPOINTS
ROOT = folders.ROOT


def find_deployment(env: str, *, on_this_machine: bool, endpoints: Path) -> Deployment:
    """The deployed environment. Raises DeploymentError."""
    if on_this_machine or env == LOCAL:
        return local(None if env == LOCAL else env, file=endpoints)
    return deployed(env)
