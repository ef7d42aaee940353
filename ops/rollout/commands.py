"""`dr preview | deploy | refresh | outputs`: one stack, or all of them in order.

A command that changes a cloud prints account, region and stack, and asks for confirmation.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from ops.environment import backend, settings
from ops.environment.aws import Caller, caller, masked
from ops.rollout import degraded, guards, local_environment, pending, plan_guard, pulumi_cli, waves
from ops.rollout.plan import Plan
from ops.rollout.waves import ALL_STACKS, WAVES
from shared.aws_sessions import Sessions
from shared.command_line import (
    CouldNotStart,
    EnvOption,
    Incomplete,
    JsonOption,
    LocalOption,
    Refused,
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
AllowOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        envvar="DR_ALLOW",
        help="Resource that holds data and may be replaced or deleted, or setting of the environment's identity that "
        "may change, by name. Repeat for several.",
    ),
]


def preview(
    stack: StackArgument = Stack.ALL,
    env: EnvOption = "dev",
    exclude_region: ExcludeRegionOption = "",
    local: LocalOption = False,
    allow: AllowOption = None,
) -> None:
    """Preview a deployment. Read-only.

    Fails where a deployment would refuse the plan.
    """
    found = read_settings(env, local=local)
    excluded = _excluded(exclude_region, found, env)
    _caller(found, stack, excluded)
    planned = _plan(stack, env, found, excluded, allow or ())
    if planned.later:
        typer.echo(_needs_regions(planned.later, env))


def deploy(
    stack: StackArgument = Stack.ALL,
    env: EnvOption = "dev",
    exclude_region: ExcludeRegionOption = "",
    local: LocalOption = False,
    yes: YesOption = False,
    allow: AllowOption = None,
) -> None:
    """Preview and deploy one stack, or both regions in parallel and then global.

    A plan that replaces or deletes what holds data, or changes suffix, regions, address ranges or engine, is refused
    unless each is allowed by name.
    """
    found = read_settings(env, local=local)
    excluded = _excluded(exclude_region, found, env)
    who = _caller(found, stack, excluded)
    guards.refuse_foreign_account(guards.outputs_of(stacks_of(stack), env), env, who)
    lost = found.region(excluded) if excluded else ""
    pending.settle(stacks_of(stack), env, Sessions().client, yes=yes, excluded=lost)
    planned = _plan(stack, env, found, excluded, allow or ())
    confirm(f"{sentence('Deploys', stack, env, found, who)}\n{planned.summary}", env, yes=yes)

    def plan_global_again() -> None:
        """The regions' outputs, which `global` reads, may have changed, or are there for the first time."""
        if planned.is_settled:
            return
        try:
            again = _plan(Stack.GLOBAL, env, found, excluded, allow or ())
            if again.losses - planned.losses:
                confirm(again.summary, env, yes=yes)
        except (CouldNotStart, Refused) as error:
            raise Incomplete(f"the regions are deployed, global was not touched: {error}") from error

    words = ["up", "--skip-preview", *POLICIES, *planned.targets]
    run_stacks(stack, words, env, doing="deploying", yes=yes, between=plan_global_again)
    if local:
        local_environment.record(env)


def refresh(
    stack: StackArgument = Stack.ALL, env: EnvOption = "dev", local: LocalOption = False, yes: YesOption = False
) -> None:
    """Refresh the state of a stack from AWS. Changes no resource."""
    caller(settings.region_of(read_settings(env, local=local), stack))
    pending.settle(stacks_of(stack), env, Sessions().client, yes=yes)
    run_stacks(stack, ["refresh"], env, doing="refreshing", yes=yes)


def outputs(
    stack: StackArgument = Stack.ALL, env: EnvOption = "dev", as_json: JsonOption = False, local: LocalOption = False
) -> None:
    """Print the outputs of a stack; secret values stay hidden."""
    _prepare_cli(env, local=local)
    for each in stacks_of(stack):
        typer.echo(f"# {each}", err=True)
        typer.echo(pulumi_cli.output(each, ["stack", "output", "--stack", env, *(["--json"] if as_json else [])]))


def read_settings(environment: str, *, local: bool = False) -> GlobalSettings:
    """The settings of `global`. Raises CouldNotStart, also if there is no Pulumi CLI.

    With `local`, all that follows in this process goes to the embedded AWS.
    """
    _prepare_cli(environment, local=local)
    return settings.read(environment)


def _prepare_cli(environment: str, *, local: bool) -> None:
    pulumi_cli.program()
    if local:
        local_environment.use(environment)
    for file in backend.repair():
        typer.echo(f"removed {file.name}, which an interrupted run left empty", err=True)


def stacks_of(stack: Stack) -> tuple[str, ...]:
    return ALL_STACKS if stack is Stack.ALL else (str(stack),)


def sentence(verb: str, stack: Stack, environment: str, found: GlobalSettings, who: Caller) -> str:
    """A summary of the command's effect, for the confirmation."""
    regions = {
        "primary": found.primary_region,
        "secondary": found.secondary_region,
        "global": f"{found.primary_region} and {found.secondary_region}",
    }
    each = ", ".join(f"{name} ({regions[name]})" for name in stacks_of(stack))
    return f"{verb} {each} of {environment} in account {masked(who.account)}, as {who.name}."


def run_stacks(
    stack: Stack,
    words: Sequence[str],
    environment: str,
    *,
    doing: str,
    yes: bool,
    between: Callable[[], None] | None = None,
) -> None:
    """One stack, or all in order. Raises Incomplete, Interrupted."""
    verb = "deploy" if words[0] == "up" else words[0]
    order = WAVES[::-1] if verb == "destroy" else WAVES
    chosen = order if stack is Stack.ALL else ((str(stack),),)
    again = _make(verb, stack, environment)
    waves.run(words, environment, doing=doing, again=again, yes=yes, waves=chosen, between=between)


def _make(verb: str, stack: Stack, environment: str) -> str:
    return f"make {verb}{'' if stack is Stack.ALL else f'-{stack}'} ENV={environment}"


@dataclass(frozen=True, kw_only=True)
class _Planned:
    plans: Sequence[Plan] = ()
    targets: Sequence[str] = ()
    later: Sequence[str] = ()  # regions whose first deployment comes before the preview of global

    @property
    def summary(self) -> str:
        lines = [plan.summary for plan in self.plans]
        return "\n".join([*lines, *(["  global: previewed when the regions are there"] if self.later else [])])

    @property
    def losses(self) -> set[str]:
        return {loss.urn for plan in self.plans for loss in plan.losses}

    @property
    def is_settled(self) -> bool:
        """Whether the plan of global holds after the regions were deployed."""
        return not self.later and not any(plan.changes for plan in self.plans if plan.stack != "global")


def _plan(
    stack: Stack,
    environment: str,
    found: GlobalSettings,
    excluded: Place | None,
    allowed: Collection[str],
) -> _Planned:
    """The changes that a deployment would make. Raises Refused, CouldNotStart."""
    needed = ALL_STACKS if stack in (Stack.ALL, Stack.GLOBAL) else stacks_of(stack)
    outputs = guards.outputs_of(needed, environment)
    targets = _targets(stack, environment, found, excluded)
    later = [place for place in Place if place in outputs and not outputs[place]] if "global" in outputs else []
    if later and stack is Stack.GLOBAL:
        raise CouldNotStart(_needs_regions(later, environment))
    stacks = [each for each in stacks_of(stack) if each != "global" or not later]
    plans = waves.preview(stacks, [*POLICIES, *targets], environment)
    plan_guard.refuse(
        plans,
        plan_guard.identity_changes(found, outputs),
        allowed,
        environment=environment,
        again=_make("deploy", stack, environment),
    )
    return _Planned(plans=plans, targets=targets, later=later)


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
