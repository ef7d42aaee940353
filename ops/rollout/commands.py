"""`python -m ops preview | deploy | refresh | outputs | destroy-stack`: one stack, or all of them in order.

What changes a cloud says which account, region and stack it means, and asks unless it was agreed beforehand.
"""

import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from ops.cli.confirmation import agree
from ops.cli.errors import CouldNotStart, Incomplete, said
from ops.cli.options import Environment, Yes
from ops.environment import settings
from ops.environment.caller import Caller, caller, shown
from ops.rollout import guards, order, pulumi_cli, survivor
from shared.aws_sessions import Sessions
from shared.places import Place
from shared.pulumi_cli import STACKS
from shared.settings import GlobalSettings

POLICY = STACKS.parent / "policy"


class Stack(StrEnum):
    PRIMARY = "primary"
    SECONDARY = "secondary"
    GLOBAL = "global"
    ALL = "all"


Which = Annotated[Stack, typer.Argument(help="Name of a stack, or all.")]
Survivor = Annotated[
    Place | None,
    typer.Option(
        "--survivor", help="Place of the surviving region; plans only resources that need no call to the other one."
    ),
]


def preview(stack: Which = Stack.ALL, env: Environment = "dev", survivor_place: Survivor = None) -> None:
    """Preview a deployment. Read-only."""
    with said():
        found = _settings(env)
        _caller(found, stack, survivor_place)
        words = ["preview", "--stack", env, "--policy-pack", str(POLICY)]
        words += _narrowed(stack, env, found, survivor_place)
        missing = guards.undeployed(env) if stack in (Stack.ALL, Stack.GLOBAL) else []
        if stack is Stack.GLOBAL and missing:
            raise CouldNotStart(_needs_regions(missing, env))
        if stack is not Stack.ALL:
            _one(stack, words)
            return
        waves = order.WAVES[:1] if missing else order.WAVES
        plain = [*words, "--non-interactive"]
        order.forward(lambda _: plain, doing="previewing", again=f"make preview ENV={env}", waves=waves)
        if missing:
            typer.echo(_needs_regions(missing, env))


def deploy(
    stack: Which = Stack.ALL, env: Environment = "dev", survivor_place: Survivor = None, yes: Yes = False
) -> None:
    """Deploy one stack, or both regions in parallel and then global."""
    with said():
        found = _settings(env)
        narrowed = _narrowed(stack, env, found, survivor_place)
        who = _caller(found, stack, survivor_place)
        guards.foreign_account(stacks_of(stack), env, who)
        agree(_sentence("Deploys", stack, env, found, who), env, yes=yes)
        words = ["up", "--stack", env, "--policy-pack", str(POLICY), *narrowed]
        if stack is Stack.ALL:
            order.forward(
                lambda _: [*words, "--yes", "--non-interactive"], doing="deploying", again=f"make deploy ENV={env}"
            )
        else:
            _one(stack, [*words, *_answered(yes)])


def refresh(stack: Which = Stack.ALL, env: Environment = "dev", yes: Yes = False) -> None:
    """Refresh the state of a stack from AWS. Changes no resource."""
    with said():
        caller(settings.region_of(_settings(env), stack))
        words = ["refresh", "--stack", env]
        if stack is Stack.ALL:
            order.forward(
                lambda _: [*words, "--yes", "--non-interactive"], doing="refreshing", again=f"make refresh ENV={env}"
            )
        else:
            _one(stack, [*words, *_answered(yes)])


def outputs(
    stack: Which = Stack.ALL,
    env: Environment = "dev",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the outputs of a stack; secret values stay hidden."""
    with said():
        for each in stacks_of(stack):
            typer.echo(f"# {each}", err=True)
            typer.echo(pulumi_cli.ask(each, ["stack", "output", "--stack", env, *(["--json"] if as_json else [])]))


def destroy_stack(stack: Annotated[Stack, typer.Argument()], env: Environment = "dev", yes: Yes = False) -> None:
    """Refresh and destroy one stack. `destroy` handles all stacks and what Pulumi does not own."""
    with said():
        if stack is Stack.ALL:
            raise CouldNotStart(f"all stacks are destroyed, and swept after, by make destroy ENV={env}")
        found = _settings(env)
        guards.protected(found, env)
        who = caller(settings.region_of(found, stack))
        guards.foreign_account([stack], env, who)
        if stack is Stack.GLOBAL:
            guards.away_from_home(found, Sessions().client, env)
        agree(_sentence("Destroys", stack, env, found, who), env, yes=yes)
        _one(stack, ["destroy", "--refresh", "--stack", env, *_answered(yes)])


def _settings(environment: str) -> GlobalSettings:
    """The settings, once it is sure that there is a CLI to use them."""
    pulumi_cli.program()
    return settings.read(environment)


def _caller(found: GlobalSettings, stack: Stack, survivor_place: Place | None) -> Caller:
    return caller(found.region(survivor_place) if survivor_place else settings.region_of(found, stack))


def _needs_regions(missing: Sequence[str], environment: str) -> str:
    return (
        f"global was not previewed: it reads what the regions export, and {' and '.join(missing)} of {environment} "
        f"has never been deployed (make deploy ENV={environment} takes them in order)"
    )


def stacks_of(stack: Stack) -> tuple[str, ...]:
    return order.STACKS if stack is Stack.ALL else (str(stack),)


def _sentence(verb: str, stack: Stack, environment: str, found: GlobalSettings, who: Caller) -> str:
    where = {
        "primary": found.primary_region,
        "secondary": found.secondary_region,
        "global": f"{found.primary_region} and {found.secondary_region}",
    }
    each = ", ".join(f"{name} ({where[name]})" for name in stacks_of(stack))
    return f"{verb} {each} of {environment} in account {shown(who.account)}, as {who.name}."


def _narrowed(stack: Stack, environment: str, found: GlobalSettings, survivor_place: Place | None) -> list[str]:
    if survivor_place is None:
        return []
    if stack is not Stack.GLOBAL:
        raise CouldNotStart("a survivor is named for global only: each region's own stack touches no other region")
    exported = pulumi_cli.ask("global", ["stack", "export", "--stack", environment])
    plan = survivor.plan(exported, found, survivor_place)
    typer.echo(plan.told)
    return [word for urn in plan.targets for word in ("--target", urn)]


def _answered(yes: bool) -> list[str]:
    """The CLI shows its preview and asks by itself where there is a terminal."""
    return ["--yes"] if yes or not sys.stdin.isatty() else []


def _one(stack: Stack, words: Sequence[str]) -> None:
    if sys.stdin.isatty():
        status = pulumi_cli.in_foreground(stack, words)
    else:
        status = pulumi_cli.side_by_side({str(stack): [*words, "--non-interactive"]}, typer.echo)[stack]
    if status:
        raise Incomplete(f"{stack}: the CLI ended with status {status}; mend it and run the command again")
