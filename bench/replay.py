"""`python -m bench.replay`: calls and items that a replay reads, with more and more old entries in the journal.

A replay has to cost as much as the backlog, whatever the journal's size. The function's own code runs in a child
process, in which its calls are counted; the deployed function is throttled meanwhile, so that nobody else replays.
Exits with 1 if the calls or the items of two sizes differ by more than `MOST_DIFFERENCE`, with 2 if an environment does
not start, or a replay leaves payments behind.
"""

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bench import journal
from bench.checkouts import HERE, Checkout, EnvironmentFailed
from bench.ledger import Ledger

MOST_DIFFERENCE = 0.05
_ENVIRONMENT = "dev"
_HANDLER = "ledger.handler.handler"
_AT_ONCE = 50_000  # old entries that one call of the control API adds
_ROUNDS = 20  # invocations until everything must be replayed
_TIMEOUT = 900.0  # seconds of this machine until the backlogs are empty, or hold all payments
_PROBE = """
import os

def handler(event, context):
    return dict(os.environ)
"""

console = Console()


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """One measurement: of a journal with `old` entries. `fill` and `seconds` are seconds of this machine."""

    old: int
    fill: float
    seconds: float
    invocations: int
    calls: Mapping[str, int]  # by operation of DynamoDB, without those that are about control records
    control: int  # calls about control records, whose number depends on the time
    items: int  # that these calls read
    statements: int  # calls of the Data API


def main(
    sizes: Annotated[list[int] | None, typer.Option("--size", help="old entries in the journal; repeatable")] = None,
    payments: Annotated[int, typer.Option(help="in the backlog; an hour at 50 a second is 180,000", min=100)] = 18_000,
    speed: Annotated[float, typer.Option(help="AWS seconds per second", min=0.1, max=100)] = 6,
) -> None:
    """Measure one environment, whose journal grows from size to size."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)  # so that the environment is stopped
    measured: list[Replayed] = []
    try:
        with Checkout.here().running(environment=_ENVIRONMENT, speed=speed) as environment:
            ledger = Ledger(environment)
            held = 0
            for size in sorted(sizes or [10_000, 100_000, 1_000_000]):
                fill, held = _add_old(ledger, held, size), size
                measured.append(_measure(ledger, size, payments, fill))
                console.print(_line(measured[-1]), highlight=False, soft_wrap=True)
    except EnvironmentFailed as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    console.print(table(measured, payments))
    raise typer.Exit(0 if is_even(measured) else 1)


def _add_old(ledger: Ledger, held: int, size: int) -> float:
    """Let the journal hold `size` payments of last month, of which it has `held`; returns the seconds that took."""
    began = time.monotonic()
    accepted = datetime.now(UTC) - timedelta(days=30)
    item = journal.item(0, run="old", region=ledger.region, accepted_at=accepted)
    item["pk"] = {"S": "payment#old-{number}"}  # the only text that differs: they share one content hash
    for first in range(held, size, _AT_ONCE):
        count = min(_AT_ONCE, size - first)
        ledger.control("items", {"table": ledger.table, "first": first, "count": count, "item": item})
    return time.monotonic() - began


def _measure(ledger: Ledger, old: int, payments: int, fill: float) -> Replayed:
    run = uuid.uuid4().hex[:12]
    environment = worker_environment(ledger)
    own, peer = environment["BACKLOG_TABLE"], environment["PEER_BACKLOG_TABLE"]
    # What an earlier measurement left is removed once it is durable, by the deployed ledger.
    _wait("an empty backlog", lambda: ledger.backlog(own) + ledger.backlog(peer, "secondary") == 0)
    with ledger.without_database():
        ledger.switch(on=True)
        ledger.fill(payments, run)
        _wait("both backlogs", lambda: min(ledger.backlog(own), ledger.backlog(peer, "secondary")) >= payments)
        ledger.throttle(on=True)
    try:
        began = time.monotonic()
        rows: list[dict[str, Any]] = []
        invocations = 0
        event: dict[str, Any] = {"operation": "replay"}
        for _ in range(_ROUNDS):
            found = counted(event, environment)
            invocations += 1
            rows += found["calls"]
            if found["response"].get("done", True):
                break
            event = {**event, "continuation": found["response"].get("continuation")}
        if (posted := ledger.rows(run)) < payments:
            raise EnvironmentFailed(
                f"{posted} of {payments} payments are in the ledger after {invocations} invocations"
            )
        return _replayed(rows, old=old, fill=fill, seconds=time.monotonic() - began, invocations=invocations)
    finally:
        ledger.throttle(on=False)


def _replayed(
    rows: Sequence[Mapping[str, Any]], *, old: int, fill: float, seconds: float, invocations: int
) -> Replayed:
    table = [row for row in rows if row["service"] == "dynamodb"]
    own = [row for row in table if not row["control"]]
    return Replayed(
        old=old,
        fill=fill,
        seconds=seconds,
        invocations=invocations,
        calls={name: sum(row["calls"] for row in own if row["operation"] == name) for name in _names(own)},
        control=sum(row["calls"] for row in table if row["control"]),
        items=sum(row["items"] for row in own),
        statements=sum(row["calls"] for row in rows if row["service"] == "rds-data"),
    )


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({row["operation"] for row in rows})


def _wait(what: str, is_so: Callable[[], bool]) -> None:
    """Raises EnvironmentFailed after `_TIMEOUT`."""
    deadline = time.monotonic() + _TIMEOUT
    while not is_so():
        if time.monotonic() > deadline:
            raise EnvironmentFailed(f"{what}: not within {_TIMEOUT:g} s")
        time.sleep(1.0)


def worker_environment(ledger: Ledger) -> dict[str, str]:
    """The variables of the ledger function's execution environment, from a function with the same settings.

    Without the times that are shortened by the speed: a busy machine would exceed them, and calls are what counts.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", _PROBE)
    found = ledger.environment(archive.getvalue())
    return {name: value for name, value in found.items() if not name.startswith("CONTROL_")}


def counted(event: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Run the function's handler in a child process. Raises EnvironmentFailed if it fails."""
    with tempfile.TemporaryDirectory(prefix="bench-replay-") as folder:
        result = Path(folder) / "result.json"
        path = os.pathsep.join([str(HERE), str(HERE / "functions")])
        done = subprocess.run(
            [sys.executable, "-m", "bench.counted", _HANDLER, str(result)],
            input=json.dumps(event),
            capture_output=True,
            text=True,
            check=False,
            env={**environment, "PYTHONPATH": path, "PATH": os.environ["PATH"]},
        )
        if done.returncode:
            raise EnvironmentFailed(f"the replay failed: {done.stderr.strip()[-800:]}")
        found: dict[str, Any] = json.loads(result.read_text())
        return found


def is_even(measured: Sequence[Replayed]) -> bool:
    """Whether neither calls nor items depend on the journal's size."""
    figures = [[sum(each.calls.values()) for each in measured], [each.items for each in measured]]
    return all(max(each) <= (1 + MOST_DIFFERENCE) * min(each) for each in figures)


def _line(replayed: Replayed) -> str:
    calls = ", ".join(f"{name} {count}" for name, count in replayed.calls.items())
    return (
        f"{replayed.old} old entries (added in {replayed.fill:.1f} s): {sum(replayed.calls.values())} calls ({calls}), "
        f"{replayed.items} items read, {replayed.control} calls about control records, {replayed.statements} "
        f"statements, {replayed.invocations} invocations, {replayed.seconds:.1f} s"
    )


def table(measured: Sequence[Replayed], payments: int) -> Table:
    made = Table(title=f"Replay of {payments} payments", title_justify="left")
    made.add_column("old entries", justify="right")
    for name in ("DynamoDB calls", "items read", "control calls", "Data API calls", "invocations", "s"):
        made.add_column(name, justify="right")
    for each in measured:
        counts = (sum(each.calls.values()), each.items, each.control, each.statements, each.invocations)
        made.add_row(str(each.old), *map(str, counts), f"{each.seconds:.1f}")
    return made


if __name__ == "__main__":
    typer.run(main)
