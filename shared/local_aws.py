"""Starts the embedded AWS with this repository's programs: `python -m shared.local_aws up --env dev`.

`localaws` imports nothing of this repository. What it deploys reaches it as a plan, one line of JSON on its standard
input; what was deployed comes back in `endpoints.json` (`shared.local_endpoints`).
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

import yaml

from shared import client_keys
from shared.places import PROJECTS, Place
from shared.pulumi_cli import STACKS
from shared.settings import SECRETS, EnvironmentSettings, SettingsError, load

PROGRAMS = tuple(STACKS / folder for folder in PROJECTS)
"""Folders of the three programs, in the order of their deployment."""
CLIENT = "rehearsal"
"""The client that payments on this machine come from."""

DIRECTORY_VARIABLE = "DR_LOCAL_DIRECTORY"
"""Names the directory of the running environment, if it is not the default one."""
_PLANNED = ("up", "graph")  # the commands that need a plan


class Engine(StrEnum):
    """The engine that deploys the stacks on the embedded AWS."""

    LOCALAWS = "localaws"  # its own, in seconds
    PULUMI = "pulumi"  # the Pulumi CLI


def directory() -> Path:
    """The folder of the environment on this machine."""
    return Path(os.environ.get(DIRECTORY_VARIABLE) or "build/local")


def plan(
    environment: str, *, client_key: str = "", engine: Engine = Engine.LOCALAWS, stacks: Path = STACKS
) -> dict[str, Any]:
    """The deployment plan of an environment, whose API accepts `client_key` if one is given. Raises SettingsError.

    For the Pulumi CLI it has no programs: the CLI deploys them later.
    """
    settings = load(EnvironmentSettings, _config(stacks / "global", environment), stack=environment)
    keys = {client_keys.SETTING: {CLIENT: client_key}} if client_key else {}
    return {
        "environment": environment,
        "programs": [str(stacks / folder) for folder in PROJECTS] if engine is Engine.LOCALAWS else [],
        "regions": {settings.primary_region: Place.PRIMARY, settings.secondary_region: Place.SECONDARY},
        "config": dict.fromkeys(Place, keys),
        "secret_keys": list(SECRETS),
        "metadata": {"client_key": client_key, "deployed_by": engine},
    }


def command(*words: str) -> list[str]:
    """A command line of the embedded AWS."""
    return [sys.executable, "-m", "localaws", *words]


def run(words: Sequence[str], name: str = "python -m localaws") -> NoReturn:
    """Replace this process by `localaws`. For `up` and `graph`, `--env NAME` among the words becomes the plan,
    and `--empty` one that deploys nothing.

    `name` is what its messages call the command line. Raises SettingsError.
    """
    if words and words[0] in _PLANNED and "--help" not in words:
        parser = argparse.ArgumentParser(add_help=False)
        parser.add_argument("--env", default="dev")
        parser.add_argument("--empty", action="store_true")
        given, rest = parser.parse_known_args(list(words))
        engine = Engine.PULUMI if given.empty else Engine.LOCALAWS
        chosen = plan(given.env, client_key=client_keys.draw() if words[0] == "up" else "", engine=engine)
        reader, writer = os.pipe()
        os.write(writer, f"{json.dumps(chosen)}\n".encode())  # fits into the pipe's buffer
        os.close(writer)
        os.dup2(reader, sys.stdin.fileno())
        words = [*rest, "--plan", "-"]
    os.execve(sys.executable, command(*words), {**os.environ, "LOCALAWS_COMMAND": name})


def _config(folder: Path, environment: str) -> Mapping[str, str]:
    file = folder / f"Pulumi.{environment}.yaml"
    config = (yaml.safe_load(file.read_text()) or {}).get("config") or {} if file.is_file() else {}
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in config.items()
        if value is not None
    }


if __name__ == "__main__":
    try:
        run(sys.argv[1:])
    except SettingsError as error:
        sys.exit(str(error))
