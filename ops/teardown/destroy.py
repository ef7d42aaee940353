"""`python -m ops destroy`: everything of an environment, and proof that nothing is left.

The order: refresh, so that the state knows where the database's roles are; `global`; what blocks the regions; the
regions; what Pulumi never owned. It can be run again at any point.
"""

import time
from collections.abc import Mapping
from typing import Annotated

import typer

from ops.cli.confirmation import agree
from ops.cli.errors import CouldNotStart, Incomplete, said
from ops.cli.options import Environment, Yes
from ops.environment import settings
from ops.environment.caller import caller, shown
from ops.rollout import guards, order, pulumi_cli
from ops.teardown import leftovers
from ops.teardown import sweep as sweeping
from ops.teardown.sweep import Left
from ops.teardown.sweeps.kind import Ground
from shared.aws_sessions import Sessions
from shared.places import Place
from shared.pulumi_cli import stack_outputs
from shared.settings import GlobalSettings


def destroy(
    env: Environment = "dev",
    yes: Yes = False,
    patience: Annotated[float, typer.Option(help="Seconds to wait at the end for pending deletions.")] = 300,
) -> None:
    """Destroy all stacks in order, delete what Pulumi does not own, and list what is left."""
    with said():
        pulumi_cli.program()
        found = settings.read(env)
        guards.protected(found, env)
        who = caller(found.secondary_region)
        guards.foreign_account(order.STACKS, env, who)
        sessions = Sessions()
        guards.away_from_home(found, sessions.client, env)
        regions = {place: found.region(place) for place in Place}
        agree(
            f"Destroys all of {env} in {' and '.join(regions.values())} of account {shown(who.account)}, as "
            f"{who.name}: databases, backups and their copies too.",
            env,
            yes=yes,
        )
        grounds = _grounds(found, sessions, env)
        words = ["destroy", "--refresh", "--stack", env, "--yes", "--non-interactive"]

        def unblock() -> None:
            for each in sweeping.sweep(grounds, sweeping.BLOCKING, typer.echo, seconds=patience):
                typer.echo(f"in the way of the regions' stacks: {each}")

        order.backward(lambda _: words, doing="destroying", again=f"make destroy ENV={env}", between=unblock)
        report(finish(found, sessions, grounds, seconds=patience), env)


def sweep(env: Environment = "dev", yes: Yes = False, patience: float = 300) -> None:
    """Run only the last step of `destroy`: delete what Pulumi does not own and list what is left."""
    with said():
        found = settings.read(env)
        who = caller(found.secondary_region)
        for stack in order.STACKS:
            if stack_outputs(stack, env):
                raise CouldNotStart(f"stack {stack} of {env} is deployed; make destroy ENV={env} sweeps after itself")
        agree(f"Sweeps what is left of {env} in account {shown(who.account)}, as {who.name}.", env, yes=yes)
        sessions = Sessions()
        grounds = _grounds(found, sessions, env)
        report(finish(found, sessions, grounds, seconds=patience), env)


def finish(
    found: GlobalSettings, sessions: Sessions, grounds: list[Ground], *, seconds: float, pause: float = 5.0
) -> list[Left]:
    """Sweep every kind, then wait until AWS lists nothing of the environment; what is left."""
    deadline = time.monotonic() + seconds
    left = sweeping.sweep(grounds, sweeping.KINDS, typer.echo, seconds=seconds, pause=pause)
    regions = [ground.region for ground in grounds]
    while tagged := leftovers.tagged(sessions.client, regions, found.environment):
        if time.monotonic() + pause > deadline:
            break
        time.sleep(pause)
    return [*left, *tagged]


def report(left: list[Left], environment: str) -> None:
    """Raises Incomplete with the list, unless it is empty."""
    if not left:
        typer.echo(f"nothing of {environment} is left")
        return
    lines = "\n".join(f"  {each}" for each in left)
    raise Incomplete(f"{len(left)} left of {environment}:\n{lines}\nAgain, in a while: make sweep ENV={environment}")


def _grounds(found: GlobalSettings, sessions: Sessions, environment: str) -> list[Ground]:
    held: Mapping[Place, str] = {
        place: stack_outputs(place, environment).get("network", {}).get("vpc_id", "") for place in Place
    }
    return [
        Ground(names=found.names, place=place, region=found.region(place), vpc_id=held[place], client=sessions.client)
        for place in Place
    ]
