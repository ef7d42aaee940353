"""Tables of what differs and of what was done about it. The function told no value, so none can be shown."""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ops.cli.errors import CouldNotStart, Incomplete, Refused, said
from ops.environment.search import Environment as Target
from ops.environment.search import environment
from shared.places import Place

Parts = Sequence[dict[str, Any]]


def differences(parts: Parts) -> Table:
    table = _table("parameter", "differs in", "stays as in", "gives way")
    for each in _all(parts, "differences"):
        table.add_row(each["name"], ", ".join(each["parts"]), each["kept"], each["lost"])
    return _with_failures(table, parts)


def outcomes(parts: Parts) -> Table:
    table = _table("parameter", "done", "as in", "gave way")
    for each in _all(parts, "outcomes"):
        table.add_row(each["name"], each["did"], each["source"], each["lost"])
    return _with_failures(table, parts)


def counted(parts: Parts, what: str) -> str:
    """In one line; a table may have been cut, this is not."""
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
    table.columns[0].overflow = "fold"  # a name is copied from here
    return table


# `python -m ops parameters diff | sync`: what differs between the two regions' parameters, and making it equal now.
#
# The region's own function is asked, which has the rights and the order to decide by: no value leaves AWS, and whoever
# runs this needs no right to any.


app = typer.Typer(no_args_is_help=True, help="Compare and synchronize the two regions' parameters.")

FUNCTION = "function-parameter_sync"
# Seconds. A part of a walk takes as long as the function may (components/workload/parameter_sync.py, TIMEOUT).
_PATIENCE = 310

Env = Annotated[str, typer.Option("--env", help="The environment.")]
Local = Annotated[bool, typer.Option("--local", help="Use the environment that runs on this machine.")]
At = Annotated[
    Place, typer.Option("--at", help="Region whose function is invoked; the other one gives the same answer.")
]


@app.command("diff")
def diff(env: Env = "dev", at: At = Place.PRIMARY, local: Local = False) -> None:
    """Show the differences, and which side wins. Read-only; exits with 1 if there are any."""
    with said():
        parts = list(_walk(environment(env, local=local), at, {"operation": "diff"}))
        console = Console()
        console.print(differences(parts))
        console.print(counted(parts, "differing"))
        if any(part["differing"] or part["failed"] for part in parts):
            raise Refused(f"the parameters of {env} differ; `make parameters-sync ENV={env}` makes them equal")


@app.command("sync")
def sync(
    env: Env = "dev",
    at: At = Place.PRIMARY,
    local: Local = False,
    deep: Annotated[bool, typer.Option("--deep", help="Also compare tags and labels.")] = False,
) -> None:
    """Synchronize now. Overwritten values remain in the parameter history of their region."""
    with said():
        asked = {"operation": "reconcile", "deep": deep}
        parts = list(_walk(environment(env, local=local), at, asked))
        console = Console()
        console.print(outcomes(parts))
        console.print(counted(parts, "repaired"))
        if left := [name for part in parts for name in (*part["failures"], *part["later"])]:
            raise Incomplete(f"{len(left)} parameters of {env} are not equal yet: {', '.join(left[:10])}")


def _walk(target: Target, at: Place, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The function's answers, part by part, until it has come to the end."""
    client = target.sessions.client("lambda", target.region(at), answer_within=_PATIENCE)
    after: str | None = ""
    while after is not None:
        part = _asked(client, target.names.regional(FUNCTION, at), {**asked, "waits": True, "after": after})
        yield part
        after = part["after"]


def _asked(client: Any, function: str, event: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = client.invoke(FunctionName=function, Payload=json.dumps(event))
    except client.exceptions.ResourceNotFoundException as error:
        raise CouldNotStart(f"there is no {function} in {client.meta.region_name}; deploy the region first") from error
    told: dict[str, Any] = json.load(answer["Payload"])
    if "FunctionError" in answer:
        raise Incomplete(f"{function} failed: {told.get('errorType')} {told.get('errorMessage', '')}".rstrip())
    return told
