"""`dr drift`: what a deployment would change, and what was changed in AWS outside of Pulumi.

The programs are compared with the state by a preview, the state with AWS by a refresh of which nothing is kept.
"""

import json
from collections.abc import Mapping, Sequence

import typer

from ops.environment import settings
from ops.environment.aws import caller
from ops.rollout import waves
from ops.rollout.commands import Stack, StackArgument, read_settings, stacks_of
from shared.command_line import EnvOption, JsonOption, LocalOption

_KINDS = {"planned": ("preview",), "drifted": ("refresh", "--preview-only")}


def drift(
    stack: StackArgument = Stack.ALL,
    env: EnvOption = "dev",
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """List the differences between programs, state and AWS. Read-only; exit status 1 if there are any."""
    caller(settings.region_of(read_settings(env, local=local), stack))
    found = differences(stacks_of(stack), env)
    if as_json:
        typer.echo(json.dumps({"stacks": found}))
    else:
        for name, by_kind in found.items():
            lines = [f"  {kind}: {each}" for kind, changes in by_kind.items() for each in changes]
            typer.echo("\n".join([f"{name}: {len(lines) or 'no'} difference{'' if len(lines) == 1 else 's'}", *lines]))
    if any(changes for by_kind in found.values() for changes in by_kind.values()):
        raise typer.Exit(1)


def differences(stacks: Sequence[str], environment: str) -> dict[str, Mapping[str, Sequence[str]]]:
    """By stack, what is `planned` and what has `drifted`, each as operation, type and name of the resource.

    Raises CouldNotStart, Interrupted.
    """
    found: dict[str, dict[str, Sequence[str]]] = {stack: {} for stack in stacks}
    for kind, verb in _KINDS.items():
        for plan in waves.preview(stacks, [], environment, verb=verb, to_stderr=True):
            found[plan.stack][kind] = plan.changed
    return {**found}
