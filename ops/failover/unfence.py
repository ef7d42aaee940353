"""`python -m ops unfence`: both regions are fenced, and a person lets one of them go on.

Neither region may judge the other then, so nothing ends that state by itself. The region whose Aurora member is the
writer is made active, by the `recovery` function there, as a failback would do it. The other one stays fenced until it
is brought back.
"""

import json
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from ops.cli.confirmation import agree
from ops.cli.errors import CouldNotStart, Incomplete, Refused, said
from ops.cli.options import Environment, Yes
from ops.environment import control_records
from ops.environment.search import Environment as Target
from ops.environment.search import environment
from ops.failover import executions
from ops.failover.commands import Local, Reason, asked_by, writer_place
from shared.places import Place

FUNCTION = "function-recovery"
_ANSWER_WITHIN = 5  # seconds, of a region that may be silent

Region = Annotated[
    str, typer.Option(help="Region to activate, by name or place; only the writer's region is possible.")
]


def unfence(
    env: Environment = "dev", region: Region = "", reason: Reason = "by hand", yes: Yes = False, local: Local = False
) -> None:
    """Reactivate the writer's region after both regions were fenced."""
    with said():
        target = environment(env, local=local)
        at = writer_place(target)
        if region and target.place_of(region) is not at:
            raise Refused(
                f"{_named(target, target.place_of(region))} was asked for, but the database's writer is in "
                f"{_named(target, at)}: only that region can be made active"
            )
        held = _look(target, at)
        if not any(record.is_fenced for record in held.values()):
            typer.echo(f"no region of {env} is fenced: there is nothing to do")
            return
        _refuse_unless_both(target, at, held)
        _refuse_while_one_runs(target)
        agree(
            f"Unfence of {env}: {_named(target, at)}, where the database's writer is, serves and posts again; "
            f"{_named(target, at.other)} stays fenced. No region can judge that: you vouch for it.",
            env,
            yes=yes,
        )
        by = f"{asked_by(target, at)}: {reason}"
        told = _make_active(target, at, epoch=held[at].epoch, by=by)
        already = "" if told["changed"] else ", as it was already, and the other region knows it"
        typer.echo(f"{target.region(at)} is active, epoch {told['epoch']}{already}")
        _refuse_other_writer(target, at)
        typer.echo(f"its ledger posts within seconds; then bring the other region back: make failback ENV={env}")


def _look(target: Target, at: Place) -> dict[Place, control_records.Held]:
    """Both regions' records by the replica at `at`, told to the person as well."""
    client = target.client("dynamodb", at)
    held = {place: control_records.held(client, target, place) for place in Place}
    typer.echo(f"control records in {target.region(at)}, where the database's writer is:")
    for place, record in held.items():
        typer.echo(f"  {_named(target, place)}: {record}")
    return held


def _refuse_unless_both(target: Target, at: Place, held: dict[Place, control_records.Held]) -> None:
    ours, other = target.region(at), target.region(at.other)
    if not held[at.other].is_fenced:
        raise Refused(
            f"only {ours} is fenced: a failover of it has not ended, and {other} serves; finish it with "
            f"make failover ENV={target.name} REGION={ours}, or bring {ours} back with make failback ENV={target.name}"
        )
    if held[at].is_fenced:
        return
    if not _is_fenced_at_peer(target, at):
        raise Refused(f"only {other} is fenced: bring it back with make failback ENV={target.name}")
    typer.echo(f"{other} has not heard that {ours} is active")


def _is_fenced_at_peer(target: Target, at: Place) -> bool:
    """Whether the other region's replica still holds the fence round the region at `at`. A silent one is not asked
    twice: replication tells it when it is back."""
    client = target.sessions.client("dynamodb", target.region(at.other), answer_within=_ANSWER_WITHIN)
    try:
        return control_records.held(client, target, at).is_fenced
    except (ClientError, BotoCoreError):
        return False


def _refuse_while_one_runs(target: Target) -> None:
    """A run that passed its guard before the fence fell could move the writer under our feet."""
    for place in Place:
        client = target.sessions.client("stepfunctions", target.region(place), answer_within=_ANSWER_WITHIN)
        for kind in ("failover", "failback"):
            try:
                goes_on = executions.running(client, executions.machine_arn(target, kind, place))
            except (ClientError, BotoCoreError):
                break  # a lost region's runs move nothing
            if goes_on:
                raise CouldNotStart(
                    f"{goes_on.rpartition(':')[2]} is running in {target.region(place)}: wait for its end; "
                    f"one that waits for a person ends with make approve ENV={target.name} DECLINE=1"
                )


def _make_active(target: Target, at: Place, *, epoch: int, by: str) -> dict[str, Any]:
    """What the region's own function answers. Raises Refused if the record changed, Incomplete for the rest."""
    client, function = target.client("lambda", at), target.names.regional(FUNCTION, at)
    event = {"operation": "unfence", "region": target.region(at), "epoch": epoch, "by": by}
    try:
        answer = client.invoke(FunctionName=function, Payload=json.dumps(event))
    except client.exceptions.ResourceNotFoundException as error:
        raise CouldNotStart(f"there is no {function} in {target.region(at)}; deploy the region first") from error
    told: dict[str, Any] = json.load(answer["Payload"])
    if "FunctionError" not in answer:
        return told
    name, why = told.get("errorType"), told.get("errorMessage", "")
    if name == "EpochPassed":
        raise Refused(f"nothing was changed: {why}; look again with make unfence ENV={target.name}")
    if name == "PeerSilent":
        raise Incomplete(
            f"{target.region(at)} is active by its own replica, the other one does not hold it yet: {why}. "
            f"Run the same command again when {target.region(at.other)} answers"
        )
    raise Incomplete(f"{function} failed: {name} {why}".rstrip())


def _refuse_other_writer(target: Target, at: Place) -> None:
    """Raises Incomplete if the ledgers were told of another writer: then none of them posts."""
    recorded = control_records.writer_region(target.client("dynamodb", at), target)
    if recorded != target.region(at):
        raise Incomplete(
            f"its ledger waits: by the control record {recorded or 'nobody'} is the writer. A failback writes it anew: "
            f"make failback ENV={target.name}"
        )


def _named(target: Target, place: Place) -> str:
    return f"{target.region(place)} ({place})"
