"""`python -m ops init`: backend, settings and stacks of a new environment. What is there already is kept, so that it
can be run again; what is missing is asked for once and written for all three stacks.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import typer
import yaml

from ops.cli.errors import CouldNotStart, said
from ops.environment import settings
from ops.rollout import pulumi_cli
from ops.rollout.doctor import state_survives
from shared.places import PROJECTS
from shared.settings import EnvironmentSettings
from shared.settings_example import MODELS

_HEAD = "# `Pulumi.example.yaml` beside this file explains each setting, and holds all that can be set.\n"
DEFAULT_SECRETS = "default"


@dataclass(frozen=True, kw_only=True)
class Question:
    key: str
    text: str
    default: str  # as the settings' own default; empty: left out unless answered


QUESTIONS = (
    Question(key="dr:primaryRegion", text="Region of the primary place", default="us-east-1"),
    Question(key="dr:secondaryRegion", text="Region of the secondary place", default="us-east-2"),
    Question(key="dr:costCenter", text="Who pays (a tag)", default="unassigned"),
    Question(key="dns:zoneName", text="An existing public hosted zone, or nothing for a zone of our own", default=""),
    Question(key="network:nat", text="NAT gateways: per-zone, one or none", default="one"),
    Question(key="alarms:email", text="Email address for alarms, or nothing", default=""),
)


def init(
    env: Annotated[str, typer.Option("--env", help="Name of the environment, 2 to 12 lower-case letters and digits.")],
    backend: Annotated[str, typer.Option(help="Pulumi backend: s3://bucket?region=..., or another URL.")] = "",
    secrets_provider: Annotated[
        str, typer.Option(help="Secrets provider of the state: default, passphrase, or awskms://...")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Accept the defaults without asking.")] = False,
) -> None:
    """Log in to the backend, write the settings and create the stacks; existing ones are kept."""
    with said():
        _check_name(env)
        url = _log_in(backend, yes=yes)
        _write_settings(env, yes=yes)
        found = settings.read(env)
        judged = state_survives(url, found.primary_region)
        typer.echo(judged.what + (f" ({judged.remedy})" if judged.remedy else ""))
        _make_stacks(env, secrets_provider, yes=yes)
        typer.echo(f"next: make doctor ENV={env}, make preview ENV={env}, make deploy ENV={env}")


def _check_name(env: str) -> None:
    """Raises CouldNotStart: the suffix of all names is the environment's name."""
    try:
        EnvironmentSettings.model_validate({"dr:environment": env, "dr:suffix": env})
    except ValueError as error:
        raise CouldNotStart(f"{env} cannot be an environment's name: {error}") from error


def _log_in(backend: str, *, yes: bool) -> str:
    """The backend's URL; asks for one and logs in where nobody is."""
    pulumi_cli.program()
    try:
        url = str(json.loads(pulumi_cli.ask("global", ["whoami", "--json"]))["url"])
        if not backend or backend == url:
            typer.echo(f"logged in to {url}")
            return url
    except (CouldNotStart, ValueError, KeyError):
        if not backend and yes:
            raise CouldNotStart("nobody is logged in: give BACKEND=... (docs/runbooks/state.md)") from None
    wanted = backend or _asked("Backend: https://api.pulumi.com, or s3://bucket?region=...", "https://api.pulumi.com")
    pulumi_cli.ask("global", ["login", wanted])
    typer.echo(f"logged in to {wanted}")
    return wanted


def _write_settings(env: str, *, yes: bool) -> None:
    missing = [stack for stack in PROJECTS if not settings.settings_file(stack, env).is_file()]
    if not missing:
        typer.echo(f"settings of {env} are there")
        return
    known = _of_other_stacks(env)
    answers = {
        each.key: known.get(each.key, each.default) if yes or each.key in known else _asked(each.text, each.default)
        for each in QUESTIONS
    }
    if answers["dns:zoneName"]:
        answers["dns:createZone"] = "false"
    chosen = {**known, **{key: value for key, value in answers.items() if value}}
    for stack in missing:
        file = settings.settings_file(stack, env)
        file.write_text(render(stack, chosen))
        typer.echo(f"wrote stacks/{stack}/{file.name}")


def render(stack: str, answers: Mapping[str, str]) -> str:
    """The settings file of one stack: what of `answers` it knows and differs from the default."""
    fields = {str(field.alias): field for field in MODELS[stack].model_fields.values()}
    lines = [_HEAD + "config:", '  pulumi:disable-default-providers: ["aws"]']
    for key, value in answers.items():
        if key in fields and str(fields[key].default).lower() != value:
            lines.append(f"  {key}: {yaml.safe_dump(value, default_style=None).splitlines()[0]}")
    return "\n".join(lines) + "\n"


def _of_other_stacks(env: str) -> dict[str, str]:
    """What the stacks that have settings say already; the others must agree with them."""
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


def _make_stacks(env: str, secrets_provider: str, *, yes: bool) -> None:
    missing = [stack for stack in PROJECTS if env not in _stacks(stack)]
    if not missing:
        typer.echo(f"stacks {env} are there")
        return
    provider = secrets_provider or (
        DEFAULT_SECRETS if yes else _asked("Secrets provider: default, passphrase or awskms://...", DEFAULT_SECRETS)
    )
    for stack in missing:
        pulumi_cli.ask(stack, ["stack", "init", env, "--secrets-provider", provider, "--non-interactive"])
        typer.echo(f"made stack {env} of {PROJECTS[stack]}")


def _stacks(stack: str) -> set[str]:
    """The names of the project's stacks; a backend may name them in full, organization/project/stack."""
    listed = json.loads(pulumi_cli.ask(stack, ["stack", "ls", "--json"]) or "[]")
    return {str(each["name"]).rpartition("/")[2] for each in listed}


def _asked(text: str, default: str) -> str:
    try:
        return str(typer.prompt(text, default=default, show_default=bool(default)))
    except typer.Abort:
        raise CouldNotStart("confirmation needs a terminal; take the defaults with --yes (YES=1)") from None
