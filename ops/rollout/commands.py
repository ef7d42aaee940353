"""`dr preview | deploy | refresh | outputs`: one stack, or all of them in order.

A command that changes a cloud prints account, region and stack, and asks for confirmation.
"""

import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from ops.environment import settings
from ops.environment.aws import Caller, caller, masked
from ops.rollout import degraded, guards, local_environment, pulumi_cli
from shared.command_line import (
    CouldNotStart,
    EnvOption,
    Incomplete,
    JsonOption,
    LocalOption,
    YesOption,
    confirm,
)
from shared.places import Place
from shared.pulumi_cli import STACKS
from shared.settings import GlobalSettings

POLICIES = ("--policy-pack", str(STACKS.parent / "policy"))


class Stack(StrEnum):
    PRIMARY = "primary"
    SECONDARY = "secondary"
    GLOBAL = "global"
    ALL = "all"


StackArgument = Annotated[Stack, typer.Argument(help="Name of a stack, or all.")]
ExcludeRegionOption = Annotated[
    str,
    typer.Option(
        "--exclude-region",
        help="Region that is lost, by name or place (primary, secondary). Leaves out every resource of global whose "
        "deployment calls that region.",
    ),
]


def preview(
    stack: StackArgument = Stack.ALL,
    env: EnvOption = "dev",
    exclude_region: ExcludeRegionOption = "",
    local: LocalOption = False,
) -> None:
    """Preview a deployment. Read-only."""
    found = read_settings(env, local=local)
    excluded = _excluded(exclude_region, found, env)
    _caller(found, stack, excluded)
    words = ["preview", "--stack", env, *POLICIES, *_targets(stack, env, found, excluded)]
    missing = guards.never_deployed(env) if stack in (Stack.ALL, Stack.GLOBAL) else []
    if stack is Stack.GLOBAL and missing:
        raise CouldNotStart(_needs_regions(missing, env))
    if stack is not Stack.ALL:
        run_one(stack, words)
        return
    waves = pulumi_cli.WAVES[:1] if missing else pulumi_cli.WAVES
    pulumi_cli.in_order(words, doing="previewing", again=f"make preview ENV={env}", waves=waves)
    if missing:
        typer.echo(_needs_regions(missing, env))


def deploy(
    stack: StackArgument = Stack.ALL,
    env: EnvOption = "dev",
    exclude_region: ExcludeRegionOption = "",
    local: LocalOption = False,
    yes: YesOption = False,
) -> None:
    """Deploy one stack, or both regions in parallel and then global."""
    found = read_settings(env, local=local)
    excluded = _excluded(exclude_region, found, env)
    targets = _targets(stack, env, found, excluded)
    who = _caller(found, stack, excluded)
    guards.refuse_foreign_account(stacks_of(stack), env, who)
    confirm(sentence("Deploys", stack, env, found, who), env, yes=yes)
    words = ["up", "--stack", env, *POLICIES, *targets]
    run_stacks(stack, words, doing="deploying", again=f"make deploy ENV={env}", yes=yes)
    if local:
        local_environment.record(env)


def refresh(
    stack: StackArgument = Stack.ALL, env: EnvOption = "dev", local: LocalOption = False, yes: YesOption = False
) -> None:
    """Refresh the state of a stack from AWS. Changes no resource."""
    caller(settings.region_of(read_settings(env, local=local), stack))
    words = ["refresh", "--stack", env]
    run_stacks(stack, words, doing="refreshing", again=f"make refresh ENV={env}", yes=yes)


def outputs(
    stack: StackArgument = Stack.ALL, env: EnvOption = "dev", as_json: JsonOption = False, local: LocalOption = False
) -> None:
    """Print the outputs of a stack; secret values stay hidden."""
    if local:
        local_environment.use(env)
    for each in stacks_of(stack):
        typer.echo(f"# {each}", err=True)
        typer.echo(pulumi_cli.output(each, ["stack", "output", "--stack", env, *(["--json"] if as_json else [])]))


def read_settings(environment: str, *, local: bool = False) -> GlobalSettings:
    """The settings of `global`. Raises CouldNotStart, also if there is no Pulumi CLI.

    With `local`, all that follows in this process goes to the embedded AWS.
    """
    pulumi_cli.program()
    if local:
        local_environment.use(environment)
    return settings.read(environment)


def stacks_of(stack: Stack) -> tuple[str, ...]:
    return pulumi_cli.ALL_STACKS if stack is Stack.ALL else (str(stack),)


def sentence(verb: str, stack: Stack, environment: str, found: GlobalSettings, who: Caller) -> str:
    """What is about to happen, for the confirmation."""
    regions = {
        "primary": found.primary_region,
        "secondary": found.secondary_region,
        "global": f"{found.primary_region} and {found.secondary_region}",
    }
    each = ", ".join(f"{name} ({regions[name]})" for name in stacks_of(stack))
    return f"{verb} {each} of {environment} in account {masked(who.account)}, as {who.name}."


def run_stacks(stack: Stack, words: Sequence[str], *, doing: str, again: str, yes: bool) -> None:
    """One stack, interactive where there is a terminal, or all in order. Raises Incomplete, Interrupted."""
    if stack is Stack.ALL:
        pulumi_cli.in_order([*words, "--yes"], doing=doing, again=again)
    else:
        run_one(stack, words, yes=yes)


def run_one(stack: Stack, words: Sequence[str], *, yes: bool | None = None) -> None:
    """On a terminal the CLI shows its preview and prompts by itself, unless `yes`; None for a command that prompts for
    nothing. Raises Incomplete, Interrupted."""
    if yes is not None and (yes or not sys.stdin.isatty()):
        words = [*words, "--yes"]
    if sys.stdin.isatty():
        status = pulumi_cli.in_foreground(stack, words)
    else:
        status = pulumi_cli.side_by_side({str(stack): [*words, "--non-interactive"]}, typer.echo)[stack]
    if status:
        raise Incomplete(f"{stack}: the CLI ended with status {status}; fix the cause and run the command again")


def _excluded(region: str, found: GlobalSettings, environment: str) -> Place | None:
    return settings.place_of(region, {place: found.region(place) for place in Place}, environment) if region else None


def _caller(found: GlobalSettings, stack: Stack, excluded: Place | None) -> Caller:
    return caller(found.region(excluded.other) if excluded else settings.region_of(found, stack))


def _needs_regions(missing: Sequence[str], environment: str) -> str:
    return (
        f"global was not previewed: it reads the outputs of the regions, and {' and '.join(missing)} of {environment} "
        f"has never been deployed (make deploy ENV={environment} deploys them in order)"
    )


def _targets(stack: Stack, environment: str, found: GlobalSettings, excluded: Place | None) -> list[str]:
    if excluded is None:
        return []
    if stack is not Stack.GLOBAL:
        raise CouldNotStart("a region is excluded from global only: each region's own stack calls no other region")
    exported = pulumi_cli.output("global", ["stack", "export", "--stack", environment])
    plan = degraded.plan(exported, found, excluded)
    typer.echo(plan.summary)
    return [word for urn in plan.targets for word in ("--target", urn)]
