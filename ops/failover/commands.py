"""`dr failover | failback | approve`: starts by hand what the sentinel starts by itself.

Every call goes to the surviving region; the other one need not answer.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ops.environment.roles import control_record, writer
from ops.environment.search import Environment, environment
from ops.failover import executions
from ops.failover.executions import End, Step
from shared.command_line import (
    CouldNotStart,
    EnvOption,
    Incomplete,
    Interrupted,
    LocalOption,
    Refused,
    YesOption,
    confirm,
)
from shared.places import Place

ReasonOption = Annotated[str, typer.Option("--reason", help="Reason, for the record and the notification.")]


class Mode(StrEnum):
    UNPLANNED = "unplanned"
    PLANNED = "planned"
    FORCED = "forced"


MEANING = {
    Mode.UNPLANNED: "The database is promoted, and payments that were not replicated are replayed. "
    "Refused while the last change is too recent, or while the witness does not report the region as down.",
    Mode.PLANNED: "Both regions are up: the database's writer is switched over without data loss.",
    Mode.FORCED: "You vouch that the region is down and stays down until this has ended: cool-down and witness are "
    "skipped, and a fence of the surviving region is overridden, after which its ledger waits for five minutes. If the "
    "region is up after all, two ledgers may post.",
}


def failover(
    region: Annotated[str, typer.Option(help="Region to leave, by name or place.")],
    env: EnvOption = "dev",
    mode: Annotated[Mode, typer.Option(help="Method of moving the database, with its preconditions.")] = Mode.UNPLANNED,
    reason: ReasonOption = "by hand",
    yes: YesOption = False,
    local: LocalOption = False,
) -> None:
    """Fail over away from a region.

    Fences the region, and lets the other one take over the database and the ledger.
    """
    target = environment(env, local=local, lost=region)
    lost = target.place_of(region)
    survivor = lost.other
    client = target.client("stepfunctions", survivor)
    confirm(
        f"Failover of {env}, {mode}: {target.named(lost)} is fenced, {target.named(survivor)} takes over. "
        f"{MEANING[mode]}",
        env,
        yes=yes,
    )
    request = {
        "region": target.region(lost),
        "by": caller_name(target, survivor),
        "reason": reason,
        "mode": "planned" if mode is Mode.PLANNED else "unplanned",
        "forced": mode is Mode.FORCED,
    }
    arn = executions.machine_arn(target, "failover", survivor)
    follow(client, start(client, arn, f"by-hand-{mode}", request), env)


def failback(
    env: EnvOption = "dev", reason: ReasonOption = "by hand", yes: YesOption = False, local: LocalOption = False
) -> None:
    """Fail back to the primary region.

    Returns the fenced region to service and the writer to the primary region, without data loss.
    """
    target = environment(env, local=local)
    at = _survivor(target)
    returning = at.other
    client = target.client("stepfunctions", at)
    confirm(
        f"Failback of {env}: {target.named(returning)} returns to service, run by {target.named(at)}; the database's "
        f"writer moves to {target.region(Place.PRIMARY)}, and nothing is lost.",
        env,
        yes=yes,
    )
    request = {
        "region": target.region(returning),
        "by": caller_name(target, at),
        "reason": reason,
        "writer_region": target.region(Place.PRIMARY),
    }
    arn = executions.machine_arn(target, "failback", at)
    follow(client, start(client, arn, "by-hand", request), env)


def approve(
    env: EnvOption = "dev",
    decline: Annotated[
        bool, typer.Option("--decline", help="Decline: the execution ends and the database is not changed.")
    ] = False,
    reason: ReasonOption = "by hand",
    yes: YesOption = False,
    local: LocalOption = False,
) -> None:
    """Approve or decline a failover that waits for approval.

    What waits is the change of the database. An approved failover is followed to its end.
    """
    target = environment(env, local=local)
    waiting = executions.find_waiting(target)
    if waiting is None:
        raise CouldNotStart(f"no failover of {env} waits for approval")
    verb = "Declines" if decline else "Approves"
    confirm(
        f"{verb} the promotion of the database in {target.region(waiting.place)}, which "
        f"{waiting.run.rpartition(':')[2]} has been waiting for since {waiting.since:%H:%M:%S}.",
        env,
        yes=yes,
    )
    client = target.client("stepfunctions", waiting.place)
    executions.answer(client, waiting, approved=not decline, by=caller_name(target, waiting.place), reason=reason)
    if decline:
        typer.echo("declined: the execution ends without a change of the database")
    else:
        follow(client, waiting.run, env)


def follow(client: Any, run: str, env: str, *, console: Console | None = None) -> None:
    """Print the steps of an execution and what it measured. Raises Refused if it was skipped, Incomplete if it
    failed."""
    console = console or Console()
    name = run.rpartition(":")[2]
    typer.echo(f"{name} runs in {run.split(':')[3]}")

    def print_step(step: Step) -> None:
        if words := executions.STEPS.get(step.name):
            typer.echo(f"{step.at:%H:%M:%S}  {step.name}: {words}")
        if step.name == executions.WAITING_STATE:
            typer.echo(f"          answer with make approve ENV={env}; DECLINE=1 declines")

    try:
        ended = executions.follow(client, run, print_step)
    except KeyboardInterrupt as error:
        raise Interrupted(2, f"{name} continues unobserved; its ARN is {run}") from error
    if ended.status != "SUCCEEDED":
        raise Incomplete(f"{name} {ended.status.lower()}: {ended.error} {ended.cause}".rstrip())
    if ended.skipped is not None:
        raise Refused(f"{name} was skipped and changed nothing: {ended.skipped}")
    console.print(measurements(ended))
    for failure in (each for each in ended.document if each.endswith("_failure")):
        typer.echo(f"{failure.replace('_', ' ')}: {ended.document[failure].get('Cause') or ended.document[failure]}")


def measurements(ended: End) -> Table:
    """Recovery times in AWS seconds, and what the replay counted."""
    table = Table("measured", "", box=None, pad_edge=False, header_style="bold")
    measured = ended.document.get("metrics", {})
    if change := measured.get("writer_change"):
        table.add_row("change of writer", change)
    for name, seconds in measured.get("seconds", {}).items():
        table.add_row(name.replace("_", " "), f"{seconds:.1f} s")
    for name, count in measured.get("payments", {}).items():
        table.add_row(f"payments {name}", str(count))
    return table


def start(client: Any, arn: str, prefix: str, request: dict[str, Any]) -> str:
    """The ARN of a new execution. Raises CouldNotStart while another one is running."""
    if other := executions.running(client, arn):
        raise CouldNotStart(f"{other.rpartition(':')[2]} is running in {arn.split(':')[3]} already")
    return executions.start(client, arn, f"{prefix}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}", request)


def _survivor(target: Environment) -> Place:
    """The place that runs the failback: the writer's. But a failover that ended early has left the writer's own region
    fenced, and a fenced region cannot run a failback."""
    at = writer_place(target)
    client = target.client("dynamodb", at)
    fenced = [place for place in Place if control_record(client, target, place).is_fenced]
    return at.other if fenced == [at] else at


def writer_place(target: Environment) -> Place:
    """The place whose member of the global cluster is the writer. Raises CouldNotStart if there is none."""
    region = writer(target.sessions.client, target.names.global_cluster, target.regions)
    if region is None:
        raise CouldNotStart(f"{target.name} has no global cluster with a writer")
    return target.place_of(region)


def caller_name(target: Environment, place: Place) -> str:
    """The user's or the session's name, for the record."""
    arn: str = target.client("sts", place).get_caller_identity()["Arn"]
    return arn.rpartition("/")[2].rpartition(":")[2]
