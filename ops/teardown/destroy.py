"""`dr destroy | sweep`: destroys an environment, and checks that nothing of it is left.

The order: refresh, so that the state holds the database's current roles; `global`; what blocks the regions; the
regions; what Pulumi never managed. It can be repeated at any point.
"""

import time
from collections.abc import Sequence
from typing import Annotated

import typer

from ops.environment import settings
from ops.environment.aws import caller, masked
from ops.rollout import guards, local_environment, pending
from ops.rollout.commands import Stack, StackArgument, read_settings, run_stacks, sentence, stacks_of
from ops.rollout.waves import ALL_STACKS
from ops.teardown import sweep as sweeping
from ops.teardown.sweep import Leftover
from ops.teardown.sweepers import BLOCKING, SWEEPERS, SweptRegion
from shared.aws_sessions import Sessions
from shared.command_line import CouldNotStart, EnvOption, Incomplete, LocalOption, YesOption, confirm
from shared.places import Place
from shared.pulumi_cli import stack_outputs
from shared.settings import GlobalSettings

TimeoutOption = Annotated[float, typer.Option(help="Seconds to wait at the end for pending deletions.")]


def destroy(
    stack: StackArgument = Stack.ALL,
    env: EnvOption = "dev",
    local: LocalOption = False,
    yes: YesOption = False,
    timeout: TimeoutOption = 300,
) -> None:
    """Destroy one stack, or all of them and what they leave behind.

    With all, resources that Pulumi does not manage are deleted too, and what is left is listed.
    """
    found = read_settings(env, local=local)
    guards.refuse_protected(found, env)
    who = caller(found.secondary_region if stack is Stack.ALL else settings.region_of(found, stack))
    guards.refuse_foreign_account(guards.outputs_of(stacks_of(stack), env), env, who)
    sessions = Sessions()
    pending.settle(stacks_of(stack), env, sessions.client, yes=yes)
    if stack in (Stack.ALL, Stack.GLOBAL):
        guards.refuse_writer_elsewhere(found, sessions.client, env)
    words = ["destroy", "--refresh"]
    if stack is not Stack.ALL:
        confirm(sentence("Destroys", stack, env, found, who), env, yes=yes)
        run_stacks(stack, words, env, doing="destroying", yes=yes)
        return
    confirm(
        f"Destroys all of {env} in {found.primary_region} and {found.secondary_region} of account "
        f"{masked(who.account)}, as {who.name}: databases, backups and their copies too.",
        env,
        yes=yes,
    )
    regions = _swept_regions(found, sessions, env)

    def unblock() -> None:
        for each in sweeping.sweep(regions, BLOCKING, typer.echo, seconds=timeout):
            typer.echo(f"blocks the regional stacks: {each}")

    run_stacks(stack, words, env, doing="destroying", yes=yes, between=unblock)
    if local:
        local_environment.record(env)
    report(_finish(found, sessions, regions, seconds=timeout), env)


def sweep(env: EnvOption = "dev", yes: YesOption = False, timeout: TimeoutOption = 300) -> None:
    """Delete what a destroyed environment left behind.

    This is the last step of `destroy`: it deletes what Pulumi does not manage, and lists what is left.
    """
    found = settings.read(env)
    who = caller(found.secondary_region)
    for stack in ALL_STACKS:
        if stack_outputs(stack, env):
            raise CouldNotStart(f"stack {stack} of {env} is deployed; make destroy ENV={env} sweeps at its end")
    confirm(f"Sweeps what is left of {env} in account {masked(who.account)}, as {who.name}.", env, yes=yes)
    sessions = Sessions()
    report(_finish(found, sessions, _swept_regions(found, sessions, env), seconds=timeout), env)


def _finish(
    found: GlobalSettings, sessions: Sessions, regions: Sequence[SweptRegion], *, seconds: float, pause: float = 5.0
) -> list[Leftover]:
    """Run every sweeper, then wait until AWS lists no tagged resource of the environment; what is left."""
    deadline = time.monotonic() + seconds
    left = sweeping.sweep(regions, SWEEPERS, typer.echo, seconds=seconds, pause=pause)
    names = [each.region for each in regions]
    while tagged := sweeping.tagged(sessions.client, names, found.environment):
        if time.monotonic() + pause > deadline:
            break
        time.sleep(pause)
    return [*left, *tagged]


def report(left: Sequence[Leftover], environment: str) -> None:
    """Raises Incomplete with the list, unless it is empty."""
    if not left:
        typer.echo(f"nothing of {environment} is left")
        return
    lines = "\n".join(f"  {each}" for each in left)
    raise Incomplete(f"{len(left)} left of {environment}:\n{lines}\nTry again later: make sweep ENV={environment}")


def _swept_regions(found: GlobalSettings, sessions: Sessions, environment: str) -> list[SweptRegion]:
    return [
        SweptRegion(
            names=found.names,
            place=place,
            region=found.region(place),
            vpc_id=stack_outputs(place, environment).get("network", {}).get("vpc_id", ""),
            client=sessions.client,
        )
        for place in Place
    ]
