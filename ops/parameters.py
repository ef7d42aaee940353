"""`python -m ops parameters diff | sync`: what differs between the two regions' parameters, and making it equal now.

The region's own function is asked, which has the rights and the order to decide by: no value leaves AWS, and whoever
runs this needs no right to any.
"""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import Console

from ops import parameters_view as view
from ops.ending import CouldNotStart, Incomplete, Refused, said
from ops.find import Environment as Target
from ops.find import environment
from shared.places import Place

app = typer.Typer(no_args_is_help=True, help="Compare and synchronize the two regions' parameters.")

FUNCTION = "function-parameter_sync"
# Seconds. A part of a walk takes as long as the function may (components/parameter_sync.py, TIMEOUT).
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
        console.print(view.differences(parts))
        console.print(view.counted(parts, "differing"))
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
        console.print(view.outcomes(parts))
        console.print(view.counted(parts, "repaired"))
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
