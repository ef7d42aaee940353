"""`dr parameters diff | sync`: compares and synchronizes the two regions' parameters.

The work is done by the `parameter_sync` function of a region: no value leaves AWS, and the caller needs no permission
on any parameter.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ops.environment.search import Environment, environment
from shared.command_line import (
    CouldNotStart,
    EnvOption,
    Incomplete,
    LocalOption,
    Refused,
    add_command,
    command_group,
)
from shared.places import Place

FUNCTION = "function-parameter_sync"
DELETED = "deleted"  # instead of the region whose side is kept
# Seconds. One call takes at most the function's timeout (components/workload/parameter_sync.py, TIMEOUT).
_ANSWER_WITHIN = 310

Parts = Sequence[dict[str, Any]]
"""Results of the function, one per call."""

AtOption = Annotated[
    Place, typer.Option("--at", help="Region whose function is invoked; the other one gives the same answer.")
]


def diff(env: EnvOption = "dev", at: AtOption = Place.PRIMARY, local: LocalOption = False) -> None:
    """Show the differences, and which side wins. Read-only; exits with 1 if there are any."""
    parts = list(_walk(environment(env, local=local), at, {"operation": "diff"}))
    console = Console()
    console.print(differences(parts))
    console.print(totals(parts, "differing"))
    pending = [each for each in _all(parts, "differences") if each["kept"] == DELETED]
    if len(pending) > parts[0]["most_deletions"]:
        console.print(_withheld(len(pending), parts[-1]["missing"], env), soft_wrap=True)
    if any(part["differing"] or part["failed"] for part in parts):
        raise Refused(f"the parameters of {env} differ; `make parameters-sync ENV={env}` makes them equal")


def sync(
    env: EnvOption = "dev",
    at: AtOption = Place.PRIMARY,
    local: LocalOption = False,
    deep: Annotated[bool, typer.Option("--deep", help="Also compare tags and labels.")] = False,
    allow_deletions: Annotated[
        int | None,
        typer.Option(
            "--allow-deletions", min=0, metavar="N", help="Make up to N deletions, or none if more are pending."
        ),
    ] = None,
    restore: Annotated[
        bool, typer.Option("--restore", help="Create parameters again that are missing in one region; delete none.")
    ] = False,
) -> None:
    """Synchronize now. Overwritten values remain in the parameter history of their region; a deletion is final."""
    if restore and allow_deletions is not None:
        raise Refused("--restore deletes nothing; leave out --allow-deletions")
    request = {"operation": "reconcile", "deep": deep, "restore": restore, "allow_deletions": allow_deletions}
    parts = list(_walk(environment(env, local=local), at, request))
    console = Console()
    console.print(outcomes(parts))
    console.print(totals(parts, "repaired"))
    if withheld := sum(part["withheld"] for part in parts):
        raise Incomplete(_withheld(withheld, parts[-1]["missing"], env))
    if left := [name for part in parts for name in (*part["failures"], *part["later"])]:
        raise Incomplete(f"{len(left)} parameters of {env} are not equal yet: {', '.join(left[:10])}")


app = command_group("Compare and synchronize the two regions' parameters.")
add_command(app, "diff", diff)
add_command(app, "sync", sync)


def _walk(target: Environment, at: Place, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The function's results, call by call, until it has reached the last parameter."""
    client = target.sessions.client("lambda", target.region(at), answer_within=_ANSWER_WITHIN)
    after: str | None = ""
    while after is not None:
        part = _invoke(client, target.names.regional(FUNCTION, at), {**request, "waits": True, "after": after})
        yield part
        after = part["after"]
        if request.get("allow_deletions") is not None:
            # An allowance covers the whole command.
            left = request["allow_deletions"] - part["deleted"]
            request = {**request, "allow_deletions": max(0, left)}


def _withheld(pending: int, missing: int, env: str) -> str:
    """An allowance has to cover all `missing` parameters, among which those not copied yet are indistinguishable."""
    return (
        f"{pending} parameters of {env} are missing in one region and are not deleted in the other. If they were "
        f"deleted on purpose: `make parameters-sync ENV={env} ALLOW_DELETIONS={missing}`; otherwise "
        f"`make parameters-sync ENV={env} RESTORE=1` creates them again"
    )


def _invoke(client: Any, function: str, event: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = client.invoke(FunctionName=function, Payload=json.dumps(event))
    except client.exceptions.ResourceNotFoundException as error:
        raise CouldNotStart(f"there is no {function} in {client.meta.region_name}; deploy the region first") from error
    result: dict[str, Any] = json.load(answer["Payload"])
    if "FunctionError" in answer:
        raise Incomplete(f"{function} failed: {result.get('errorType')} {result.get('errorMessage', '')}".rstrip())
    return result


# Tables without values: the function returns none.


def differences(parts: Parts) -> Table:
    table = _table("parameter", "differs in", "kept", "overwritten")
    for each in _all(parts, "differences"):
        table.add_row(each["name"], ", ".join(each["parts"]), each["kept"], each["lost"])
    return _with_failures(table, parts)


def outcomes(parts: Parts) -> Table:
    table = _table("parameter", "done", "source", "overwritten")
    for each in _all(parts, "outcomes"):
        table.add_row(each["name"], each["action"], each["source"], each["lost"])
    return _with_failures(table, parts)


def totals(parts: Parts, what: str) -> str:
    """One line of counts, complete even where the function shortened its tables."""
    compared, found, failed = (sum(part[name] for part in parts) for name in ("compared", what, "failed"))
    return f"{compared} compared, {found} {what}, {failed} failed"


def _with_failures(table: Table, parts: Parts) -> Table:
    for part in parts:
        for name, reason in part["failures"].items():
            table.add_row(name, "not possible", "", reason)
        for name, seconds in part["later"].items():
            table.add_row(name, f"in {seconds} s at the earliest", "", "")
    return table


def _all(parts: Parts, key: str) -> list[dict[str, Any]]:
    return [each for part in parts for each in part[key]]


def _table(*columns: str) -> Table:
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    table.columns[0].overflow = "fold"  # names are copied from the terminal
    return table
