"""`--local`: makes the Pulumi CLI and the AWS clients of this process use the embedded AWS that `dr local up` runs.

What follows then is the path that leads to AWS: another backend, another endpoint, other plugins. State and settings
are in the folder of the running environment, so that no file of the checkout changes.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from ops.environment import settings
from ops.rollout import pulumi_cli
from shared import client_keys, local_aws
from shared.command_line import CouldNotStart, Incomplete
from shared.places import PROJECTS, Place
from shared.pulumi_cli import STACKS, stack_outputs

_ENDPOINTS = "endpoints.json"
_processes: list["subprocess.Popen[str]"] = []  # they end when this process closes their standard input, by ending


def use(environment: str) -> None:
    """From now on, everything goes to the embedded AWS on this machine. Raises CouldNotStart if none runs."""
    directory = local_aws.directory()
    try:
        running = json.loads((directory / _ENDPOINTS).read_bytes())
    except FileNotFoundError:
        raise CouldNotStart(
            f"no embedded AWS runs in {directory}; start one in another terminal: make local-up EMPTY=1"
        ) from None
    if running["environment"] != environment:
        raise CouldNotStart(f"the embedded AWS in {directory} is for {running['environment']}, not for {environment}")
    if running["metadata"].get("deployed_by") != local_aws.Engine.PULUMI:
        raise CouldNotStart(
            f"the embedded AWS in {directory} was deployed without the Pulumi CLI, which has no state of it; start "
            "one with nothing deployed: make local-up EMPTY=1"
        )
    folder = directory / "pulumi"
    os.environ.update(start_providers(running["aws"], folder))
    for stack in PROJECTS:
        prepare(stack, environment, folder / stack, running["metadata"].get("client_key", ""))
    pulumi_cli.use_settings_in(folder)


def record(environment: str) -> None:
    """Record the stacks' outputs beside the embedded AWS, where failover, drills and audits read them.

    Empty, until all three stacks are deployed. Raises Incomplete.
    """
    outputs = {stack: stack_outputs(stack, environment) for stack in PROJECTS}
    command = [sys.executable, "-m", "localaws", "record", "--directory", str(local_aws.directory())]
    content = json.dumps(outputs if all(outputs.values()) else {})
    done = subprocess.run(command, input=content, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Incomplete(f"deployed, but the embedded AWS is not ready: {done.stderr.strip()}")


def start_providers(endpoint: str, folder: Path) -> dict[str, str]:
    """Start the process that serves the providers, and return the variables for its CLI; those to unset are unset."""
    command = [sys.executable, "-m", "localaws.pulumi_plugins.serving", "--endpoint", endpoint]
    process = subprocess.Popen(
        [*command, "--directory", str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    _processes.append(process)
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        raise CouldNotStart(f"the provider of the embedded AWS did not start (status {process.wait()})")
    changes: dict[str, str | None] = json.loads(line)
    for name in [name for name, value in changes.items() if value is None]:
        os.environ.pop(name, None)
    return {name: value for name, value in changes.items() if value is not None}


def prepare(stack: str, environment: str, folder: Path, client_key: str) -> None:
    """A project folder of its own, in which the CLI keeps the stack's settings, and the stack if there is none yet.

    `pulumi stack init` writes the salt of the passphrase into the settings of the folder that it runs in.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(STACKS / stack / "Pulumi.yaml", folder / "Pulumi.yaml")
    file = folder / f"Pulumi.{environment}.yaml"
    kept = _read(file)
    chosen = _read(settings.settings_file(stack, environment))
    secret = {key: value for key, value in (kept.get("config") or {}).items() if _is_secret(value)}
    salt = {"encryptionsalt": kept["encryptionsalt"]} if "encryptionsalt" in kept else {}
    chosen["config"] = {**(chosen.get("config") or {}), **secret}
    file.write_text(yaml.safe_dump({**chosen, **salt}, sort_keys=False))
    if not salt:
        pulumi_cli.output_in(folder, ["stack", "init", environment, "--non-interactive"])
    if client_key and stack in [*Place] and client_keys.SETTING not in secret:
        setting = f"{client_keys.SETTING}.{local_aws.CLIENT}"
        words = ["config", "set", "--path", "--secret", setting, "--stack", environment, "--non-interactive"]
        pulumi_cli.output_in(folder, words, standard_input=client_key)


def _read(file: Path) -> dict[str, Any]:
    return (yaml.safe_load(file.read_text()) or {}) if file.is_file() else {}


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and ("secure" in value or any(_is_secret(each) for each in value.values()))
