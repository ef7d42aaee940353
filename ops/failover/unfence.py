"""`dr unfence`: reactivates one region by hand after both were fenced.

Neither region may judge the other then, so nothing ends that state by itself. The region whose Aurora member is the
writer is made active by its own `recovery` function, as in a failback. The other one stays fenced until a failback.
"""

import json
import time
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from ops.environment.roles import ControlRecord, control_record, recorded_writer
from ops.environment.search import Environment, environment
from ops.failover import executions
from ops.failover.commands import ReasonOption, caller_name, writer_place
from shared.command_line import CouldNotStart, EnvOption, Incomplete, LocalOption, Refused, YesOption, confirm
from shared.places import Place

FUNCTION = "function-recovery"
_ANSWER_WITHIN = 5  # seconds, of a region that may be silent
_POSTS_WITHIN = 120.0  # seconds until the ledger may post again
_POLL_SECONDS = 2.0
_REPLAY_SECONDS = 30.0  # AWS seconds between two lines of progress
_LEDGER_WITHIN = 120  # seconds

RegionOption = Annotated[
    str, typer.Option("--region", help="Region to activate, by name or place; only the writer's region is possible.")
]


def unfence(
    env: EnvOption = "dev",
    region: RegionOption = "",
    reason: ReasonOption = "by hand",
    yes: YesOption = False,
    local: LocalOption = False,
) -> None:
    """Reactivate the writer's region after both regions were fenced."""
    target = environment(env, local=local)
    at = writer_place(target)
    if region and target.place_of(region) is not at:
        raise Refused(
            f"{target.named(target.place_of(region))} was named, but the database's writer is in {target.named(at)}: "
            "only that region can be made active"
        )
    records = _records(target, at)
    if not any(record.is_fenced for record in records.values()):
        typer.echo(f"no region of {env} is fenced: there is nothing to do")
        return
    _refuse_unless_both(target, at, records)
    _refuse_running_executions(target)
    confirm(
        f"Unfence of {env}: {target.named(at)}, where the database's writer is, serves and posts again; "
        f"{target.named(at.other)} stays fenced. No region can judge that: you vouch for it.",
        env,
        yes=yes,
    )
    by = f"{caller_name(target, at)}: {reason}"
    result = _activate(target, at, epoch=records[at].epoch, by=by)
    already = "" if result["changed"] else ", as it was already, and so the other region records it"
    typer.echo(f"{target.region(at)} is active, epoch {result['epoch']}{already}")
    _refuse_other_writer(target, at)
    _replay(target, at)
    typer.echo(f"then return the other region to service: make failback ENV={env}")


def _records(target: Environment, at: Place) -> dict[Place, ControlRecord]:
    """Both regions' records by the replica at `at`; they are printed as well."""
    client = target.client("dynamodb", at)
    records = {place: control_record(client, target, place) for place in Place}
    typer.echo(f"control records in {target.region(at)}, where the database's writer is:")
    for place, record in records.items():
        typer.echo(f"  {target.named(place)}: {record}")
    return records


def _refuse_unless_both(target: Environment, at: Place, records: dict[Place, ControlRecord]) -> None:
    region, other = target.region(at), target.region(at.other)
    if not records[at.other].is_fenced:
        raise Refused(
            f"only {region} is fenced: a failover of it has not ended, and {other} serves; finish it with make "
            f"failover ENV={target.name} REGION={region}, or return {region} to service with make failback "
            f"ENV={target.name}"
        )
    if records[at].is_fenced:
        return
    if not _is_fenced_at_peer(target, at):
        raise Refused(f"only {other} is fenced: return it to service with make failback ENV={target.name}")
    typer.echo(f"the replica in {other} does not record yet that {region} is active")


def _is_fenced_at_peer(target: Environment, at: Place) -> bool:
    """Whether the other region's replica still records the region at `at` as fenced. False when that replica does not
    answer: replication updates it once it is back."""
    client = target.sessions.client("dynamodb", target.region(at.other), answer_within=_ANSWER_WITHIN)
    try:
        return control_record(client, target, at).is_fenced
    except (ClientError, BotoCoreError):
        return False


def _refuse_running_executions(target: Environment) -> None:
    """An execution that passed its preconditions before the fence was set could still move the writer."""
    for place in Place:
        client = target.sessions.client("stepfunctions", target.region(place), answer_within=_ANSWER_WITHIN)
        for workflow in ("failover", "failback"):
            try:
                run = executions.running(client, executions.machine_arn(target, workflow, place))
            except (ClientError, BotoCoreError):
                break  # executions of a lost region move nothing
            if run:
                raise CouldNotStart(
                    f"{run.rpartition(':')[2]} is running in {target.region(place)}: wait for its end; "
                    f"one that waits for approval ends with make approve ENV={target.name} DECLINE=1"
                )


def _replay(target: Environment, at: Place) -> None:
    """Post what was recorded while no region could post. Raises Incomplete if the ledger does not post in time; its
    schedule then goes on every minute."""
    ends, posted = time.monotonic() + _POSTS_WITHIN, 0
    event: dict[str, Any] = {
        "operation": "replay",
        "writer_region": target.region(at),
        "seconds": _REPLAY_SECONDS,
    }
    while True:
        result, error = _invoke(target, at, event)
        if error is None:
            event["continuation"], posted = result["continuation"], result["posted"]
            typer.echo(f"the ledger in {target.region(at)} has replayed {posted} payments")
            if result["done"]:
                return
        elif time.monotonic() > ends:
            raise Incomplete(f"{target.region(at)} is active, but its ledger does not post yet: {error}")
        else:
            time.sleep(_POLL_SECONDS)


def _activate(target: Environment, at: Place, *, epoch: int, by: str) -> dict[str, Any]:
    """The result of the region's own function. Raises Refused if the record changed, Incomplete for other errors."""
    event = {"operation": "unfence", "region": target.region(at), "epoch": epoch, "by": by}
    result, error = _invoke(target, at, event)
    if error is None:
        return result
    name, why = result.get("errorType"), result.get("errorMessage", "")
    if name == "EpochConflict":
        raise Refused(f"nothing was changed: {why}; check again with make unfence ENV={target.name}")
    if name == "PeerUnreachable":
        raise Incomplete(
            f"{target.region(at)} is active by its own replica, the other one does not record it yet: {why}. "
            f"Run the same command again when {target.region(at.other)} answers"
        )
    raise Incomplete(f"{FUNCTION} failed: {error}")


def _invoke(target: Environment, at: Place, event: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The payload that the region's recovery function returns, and its error, None if there was none."""
    client = target.sessions.client("lambda", target.region(at), answer_within=_LEDGER_WITHIN)
    function = target.names.regional(FUNCTION, at)
    try:
        answer = client.invoke(FunctionName=function, Payload=json.dumps(event))
    except client.exceptions.ResourceNotFoundException as error:
        raise CouldNotStart(f"there is no {function} in {target.region(at)}; deploy the region first") from error
    result: dict[str, Any] = json.load(answer["Payload"])
    if "FunctionError" not in answer:
        return result, None
    return result, f"{result.get('errorType')} {result.get('errorMessage', '')}".rstrip()


def _refuse_other_writer(target: Environment, at: Place) -> None:
    """Raises Incomplete if the control record names another writer: then no ledger posts."""
    recorded = recorded_writer(target.client("dynamodb", at), target)
    if recorded != target.region(at):
        raise Incomplete(
            f"its ledger waits: by the control record {recorded or 'no region'} is the writer. A failback corrects it: "
            f"make failback ENV={target.name}"
        )
