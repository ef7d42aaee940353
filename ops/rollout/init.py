"""`dr init`: backend, settings and stacks of a new environment.

It can be run again: what exists is kept. Missing settings are asked for once and written for all three stacks.
"""

import json
from collections.abc import Mapping
from typing import Annotated

import typer
import yaml

from ops.environment import settings
from ops.rollout import pulumi_cli
from ops.rollout.doctor import state_survives
from shared.command_line import CouldNotStart
from shared.places import PROJECTS
from shared.settings import EnvironmentSettings
from shared.settings_example import MODELS

_HEAD = "# `Pulumi.example.yaml` beside this file explains every setting.\n"
DEFAULT_SECRETS = "default"


QUESTIONS = {
    "dr:primaryRegion": ("Region of the primary place", "us-east-1"),
    "dr:secondaryRegion": ("Region of the secondary place", "us-east-2"),
    "dr:costCenter": ("Cost center (a tag)", "unassigned"),
    "dns:zoneName": ("An existing public hosted zone, or nothing to create a zone", ""),
    "network:nat": ("NAT gateways: per-zone, one or none", "one"),
    "alarms:email": ("Email address for alarms, or nothing", ""),
}
"""By key, the question and the settings' own default; with an empty one, the key is left out unless answered."""


def init(
    env: Annotated[
        str, typer.Option("--env", help="Name of the environment: 2 to 12 lower-case letters, digits and hyphens.")
    ],
    backend: Annotated[str, typer.Option(help="Pulumi backend: s3://bucket?region=..., or another URL.")] = "",
    secrets_provider: Annotated[
        str, typer.Option(help="Secrets provider of the state: default, passphrase, or awskms://...")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Accept the defaults without asking.")] = False,
) -> None:
    """Set up a new environment.

    Logs in to the backend, writes the settings and creates the stacks. What exists is kept.
    """
    _check_name(env)
    url = _log_in(backend, yes=yes)
    _write_settings(env, yes=yes)
    found = settings.read(env)
    judged = state_survives(url, found.primary_region)
    typer.echo(judged.what + (f" ({judged.remedy})" if judged.remedy else ""))
    _create_stacks(env, secrets_provider, yes=yes)
    typer.echo(f"next: make doctor ENV={env}, make preview ENV={env}, make deploy ENV={env}")


def _check_name(env: str) -> None:
    """Raises CouldNotStart: the environment's name is the suffix of all names."""
    try:
        EnvironmentSettings.model_validate({"dr:environment": env, "dr:suffix": env})
    except ValueError as error:
        raise CouldNotStart(f"{env} cannot be an environment's name: {error}") from error


def _log_in(backend: str, *, yes: bool) -> str:
    """The backend's URL; prompts for one and logs in if the CLI is not logged in."""
    pulumi_cli.program()
    try:
        url = str(json.loads(pulumi_cli.output("global", ["whoami", "--json"]))["url"])
        if not backend or backend == url:
            typer.echo(f"logged in to {url}")
            return url
    except (CouldNotStart, ValueError, KeyError):
        if not backend and yes:
            raise CouldNotStart(
                "the Pulumi CLI is not logged in: pass --backend (BACKEND=...; docs/runbooks/state.md)"
            ) from None
    wanted = backend or _prompt("Backend: https://api.pulumi.com, or s3://bucket?region=...", "https://api.pulumi.com")
    pulumi_cli.output("global", ["login", wanted])
    typer.echo(f"logged in to {wanted}")
    return wanted


def _write_settings(env: str, *, yes: bool) -> None:
    missing = [stack for stack in PROJECTS if not settings.settings_file(stack, env).is_file()]
    if not missing:
        typer.echo(f"settings of {env} exist")
        return
    known = _of_other_stacks(env)
    answers = {
        key: known.get(key, default) if yes or key in known else _prompt(text, default)
        for key, (text, default) in QUESTIONS.items()
    }
    if answers["dns:zoneName"]:
        answers["dns:createZone"] = "false"
    chosen = {**known, **{key: value for key, value in answers.items() if value}}
    for stack in missing:
        file = settings.settings_file(stack, env)
        file.write_text(render(stack, chosen))
        typer.echo(f"wrote stacks/{stack}/{file.name}")


def render(stack: str, answers: Mapping[str, str]) -> str:
    """The settings file of one stack: those of `answers` that it has and that differ from the default."""
    fields = {str(field.alias): field for field in MODELS[stack].model_fields.values()}
    lines = [_HEAD + "config:", '  pulumi:disable-default-providers: ["aws"]']
    for key, value in answers.items():
        if key in fields and str(fields[key].default).lower() != value:
            lines.append(f"  {key}: {yaml.safe_dump(value, default_style=None).splitlines()[0]}")
    return "\n".join(lines) + "\n"


def _of_other_stacks(env: str) -> dict[str, str]:
    """The common settings of the stacks that have a file already; the others must agree with them."""
    shared_keys = {str(field.alias) for field in EnvironmentSettings.model_fields.values()}
    found: dict[str, str] = {}
    for stack in PROJECTS:
        file = settings.settings_file(stack, env)
        config = (yaml.safe_load(file.read_text()) or {}).get("config") or {} if file.is_file() else {}
        found |= {
            key: str(value).lower() if isinstance(value, bool) else str(value)
            for key, value in config.items()
            if key in shared_keys
        }
    return found


def _create_stacks(env: str, secrets_provider: str, *, yes: bool) -> None:
    missing = [stack for stack in PROJECTS if env not in _stacks(stack)]
    if not missing:
        typer.echo(f"stacks {env} exist")
        return
    provider = secrets_provider or (
        DEFAULT_SECRETS if yes else _prompt("Secrets provider: default, passphrase or awskms://...", DEFAULT_SECRETS)
    )
    for stack in missing:
        pulumi_cli.output(stack, ["stack", "init", env, "--secrets-provider", provider, "--non-interactive"])
        typer.echo(f"created stack {env} of {PROJECTS[stack]}")


def _stacks(stack: str) -> set[str]:
    """The names of the project's stacks; a backend may list them as organization/project/stack."""
    listed = json.loads(pulumi_cli.output(stack, ["stack", "ls", "--json"]) or "[]")
    return {str(each["name"]).rpartition("/")[2] for each in listed}


def _prompt(text: str, default: str) -> str:
    try:
        return str(typer.prompt(text, default=default, show_default=bool(default)))
    except typer.Abort:
        raise CouldNotStart("the questions need a terminal; accept the defaults with --yes (YES=1)") from None
