"""`python -m ops failover | failback | approve`: what the sentinel does by itself, done on purpose by a person.

Everything is asked of the region that survives; the other one need not answer.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ops.cli.confirmation import agree
from ops.cli.errors import CouldNotStart, Incomplete, Interrupted, Refused, said
from ops.cli.options import Environment, Yes
from ops.environment import control_records
from ops.environment.search import Environment as Target
from ops.environment.search import environment
from ops.environment.writer import writer
from ops.failover import approval, executions
from ops.failover.executions import End, Step
from shared.places import Place

Local = Annotated[bool, typer.Option("--local", help="Use the environment that runs on this machine.")]
Reason = Annotated[str, typer.Option(help="Reason, for the record and the notification.")]


class Mode(StrEnum):
    UNPLANNED = "unplanned"
    PLANNED = "planned"
    FORCED = "forced"


MEANING = {
    Mode.UNPLANNED: "The database is promoted, and what was not replicated is replayed from the journal. Held back "
    "while the last change is too recent, or while the witness does not call the region down.",
    Mode.PLANNED: "Both regions live: the database's writer is handed over, and nothing is lost.",
    Mode.FORCED: "You vouch that the region is dead: no cool-down, no witness. If it lives, its ledger and the new one "
    "are kept apart by the fence alone.",
}


def failover(
    region: Annotated[str, typer.Option(help="Region to leave, by name or place.")],
    env: Environment = "dev",
    mode: Mode = Mode.UNPLANNED,
    reason: Reason = "by hand",
    yes: Yes = False,
    local: Local = False,
) -> None:
    """Fail over away from a region: fence it and let the other one take over the database and the ledger."""
    with said():
        target = environment(env, local=local, lost=region)
        lost = target.place_of(region)
        survivor = lost.other
        client = target.client("stepfunctions", survivor)
        agree(
            f"Failover of {env}, {mode}: {target.region(lost)} ({lost}) is given up, "
            f"{target.region(survivor)} ({survivor}) takes over. {MEANING[mode]}",
            env,
            yes=yes,
        )
        request = {
            "region": target.region(lost),
            "by": asked_by(target, survivor),
            "reason": reason,
            "mode": "planned" if mode is Mode.PLANNED else "unplanned",
            "forced": mode is Mode.FORCED,
        }
        arn = executions.machine_arn(target, "failover", survivor)
        end(client, started(client, arn, f"by-hand-{mode}", request), env)


def failback(env: Environment = "dev", reason: Reason = "by hand", yes: Yes = False, local: Local = False) -> None:
    """Return the lost region to service and the writer to the primary region, without data loss."""
    with said():
        target = environment(env, local=local)
        at = _survivor(target)
        back = at.other
        client = target.client("stepfunctions", at)
        agree(
            f"Failback of {env}: {target.region(back)} ({back}) is brought back, run by {target.region(at)} "
            f"({at}); the database's writer goes home to {target.region(Place.PRIMARY)}, and nothing is lost.",
            env,
            yes=yes,
        )
        request = {
            "region": target.region(back),
            "by": asked_by(target, at),
            "reason": reason,
            "writer_region": target.region(Place.PRIMARY),
        }
        arn = executions.machine_arn(target, "failback", at)
        end(client, started(client, arn, "by-hand", request), env)


def approve(
    env: Environment = "dev",
    decline: Annotated[
        bool, typer.Option("--decline", help="Decline: the execution ends and the database is not changed.")
    ] = False,
    reason: Reason = "by hand",
    yes: Yes = False,
    local: Local = False,
) -> None:
    """Approve or decline a failover that waits for approval of the database change, and follow it."""
    with said():
        target = environment(env, local=local)
        waiting = approval.find(target)
        if waiting is None:
            raise CouldNotStart(f"no failover of {env} waits for an answer")
        answer = "Declines" if decline else "Approves"
        agree(
            f"{answer} the promotion of the database in {target.region(waiting.place)}, which "
            f"{waiting.run.rpartition(':')[2]} waits for since {waiting.since:%H:%M:%S}.",
            env,
            yes=yes,
        )
        client = target.client("stepfunctions", waiting.place)
        approval.answer(client, waiting, approved=not decline, by=asked_by(target, waiting.place), reason=reason)
        if decline:
            typer.echo("declined: the run ends without touching the database")
        else:
            end(client, waiting.run, env)


def end(client: Any, run: str, env: str, *, console: Console | None = None) -> None:
    """Follow a run to its end and say what it took. Raises Refused if it was held, Incomplete if it failed."""
    console = console or Console()
    name = run.rpartition(":")[2]
    typer.echo(f"{name} runs in {run.split(':')[3]}")

    def tell(step: Step) -> None:
        if words := executions.STEPS.get(step.name):
            typer.echo(f"{step.at:%H:%M:%S}  {step.name}: {words}")
        if step.name == "WaitForApproval":
            typer.echo(f"          answer with make approve ENV={env}, or DECLINE=1 with it")

    try:
        ended = executions.follow(client, run, tell)
    except KeyboardInterrupt as error:
        raise Interrupted(2, f"{name} goes on without being watched; it is {run}") from error
    if ended.status != "SUCCEEDED":
        raise Incomplete(f"{name} {ended.status.lower()}: {ended.error} {ended.cause}".rstrip())
    if ended.held is not None:
        raise Refused(f"{name} was held and changed nothing: {ended.held}")
    console.print(measures(ended))


def measures(ended: End) -> Table:
    """What the run took in AWS seconds, and what its replay counted."""
    table = Table("measured", "", box=None, pad_edge=False, header_style="bold")
    found = ended.document.get("measures", {})
    for name, seconds in found.get("seconds", {}).items():
        table.add_row(name.replace("_", " "), f"{seconds:.1f} s")
    for name, count in found.get("payments", {}).items():
        table.add_row(f"payments {name}", str(count))
    return table


def started(client: Any, arn: str, how: str, request: dict[str, Any]) -> str:
    """The ARN of a new run. Raises CouldNotStart while another one goes on."""
    if goes_on := executions.running(client, arn):
        raise CouldNotStart(f"{goes_on.rpartition(':')[2]} is running in {arn.split(':')[3]} already")
    return executions.start(client, arn, f"{how}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}", request)


def _survivor(target: Target) -> Place:
    """Where the writer is: with it at home, the secondary region may have been left. But a failover that ended early
    has left the writer's own region fenced, and a fenced region brings nobody back."""
    at = writer_place(target)
    client = target.client("dynamodb", at)
    fenced = [place for place in Place if control_records.held(client, target, place).is_fenced]
    return at.other if fenced == [at] else at


def writer_place(target: Target) -> Place:
    """The place whose member of the global cluster is the writer. Raises CouldNotStart if there is none."""
    found = writer(target.sessions.client, target.names.global_cluster, target.regions)
    if found is None:
        raise CouldNotStart(f"{target.name} has no global cluster with a writer")
    return target.place_of(found)


def asked_by(target: Target, place: Place) -> str:
    """The name of who asks, for the record."""
    arn: str = target.client("sts", place).get_caller_identity()["Arn"]
    return arn.rpartition("/")[2].rpartition(":")[2]
