"""`dr audit`: compares the journal with the ledger in both directions.

The work is done by the `ledger` function of the writer's region, in invocations of some seconds each. Only payment ids
leave it: the caller needs no permission on a payment.
"""

import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from ops.environment.search import Environment, environment
from ops.failover.commands import writer_place
from shared.command_line import CouldNotStart, EnvOption, Incomplete, Interrupted, LocalOption, Refused
from shared.places import Place

FUNCTION = "function-ledger"
MOST_IDS = 1000  # in one invocation (functions/ledger/audit.py)
_SECONDS = 20  # of one invocation, which then ends after the pages under way
_ANSWER_WITHIN = 90
# A dependency of the function did not answer; the same request may be sent again.
_RETRIED = ("BacklogUnavailable", "DatabaseUnavailable", "JournalUnreadable")
_TRIES = 4
_PAUSE = 2.0  # seconds before the second try; doubled for each one after it
MEANING = {
    "not-in-ledger": "in the journal, but not in the ledger",
    "not-in-journal": "in the ledger, but not in the journal",
    "differs": "the contents differ",
}


@dataclass
class Comparison:
    """The counts and differences of the invocations so far."""

    counts: dict[str, int] = field(default_factory=dict)
    findings: list[dict[str, str]] = field(default_factory=list)

    @property
    def faults(self) -> int:
        return sum(self.counts.get(name, 0) for name in ("not_in_ledger", "not_in_journal", "differing"))

    def add(self, result: dict[str, Any]) -> None:
        self.findings += result["findings"]
        not_counts = ("findings", "done", "continuation")
        self.counts = {name: value for name, value in result.items() if name not in not_counts}

    def __str__(self) -> str:
        entries, rows = (self.counts.get(name, 0) for name in ("entries", "rows"))
        return f"{entries:,} entries of the journal and {rows:,} rows of the ledger compared; findings: {self.faults:,}"


def audit(
    env: EnvOption = "dev",
    sample: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Compare this many random payments instead of all.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Findings to print at most.")] = 20,
    output: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write all findings to this file as JSON.")
    ] = None,
    record_missing: Annotated[
        bool, typer.Option("--record-missing", help="Have the ledger post what is not in it, within minutes.")
    ] = False,
    local: LocalOption = False,
) -> None:
    """Compare the journal with the ledger. Exits with 1 if they differ; read-only, unless --record-missing is given.

    Names every payment that only one of them has, and every one whose contents differ, by its id. Payments accepted
    less than five minutes ago that only one of them has are pending, and no findings.
    """
    if record_missing and sample:
        raise CouldNotStart("--record-missing is for a full audit; leave out --sample")
    if output is not None and not output.absolute().parent.is_dir():
        raise CouldNotStart(f"the folder of {output} does not exist; create it")
    target = environment(env, local=local)
    at = writer_place(target)
    compared = Comparison()
    try:
        with Console(stderr=True).status(f"auditing {env} in {target.named(at)}") as status:
            for result in _invocations(
                target, at, compared, sample=sample, record=record_missing, limit=None if output else limit
            ):
                compared.add(result)
                status.update(str(compared))
    except KeyboardInterrupt as error:
        raise Interrupted(signal.SIGINT, f"{compared} until the interruption; neither of them was changed") from error
    compared.findings.sort(key=lambda finding: (finding["kind"], finding["payment_id"]))
    if output is not None:
        output.write_text(json.dumps(_document(target, at, compared, sample), indent=2) + "\n")
    _print(compared, limit, output)
    if compared.faults:
        raise Refused(
            f"journal and ledger of {env} differ in {compared.faults:,} payments; see docs/runbooks/audit.md for what "
            "each finding means and what to do"
        )


def _invocations(
    target: Environment, at: Place, compared: Comparison, *, sample: int | None, record: bool, limit: int | None
) -> Iterator[dict[str, Any]]:
    """The function's results until it has compared everything. `limit`: ids to return, by all together; None: all."""
    client = target.sessions.client("lambda", target.region(at), answer_within=_ANSWER_WITHIN)
    function, continuation = target.names.regional(FUNCTION, at), None
    while True:
        ids = MOST_IDS if limit is None else min(MOST_IDS, max(0, limit - len(compared.findings)))
        request = {"ids": ids, "sample": sample} if sample else {"ids": ids, "seconds": _SECONDS, "record": record}
        result = _invoke(client, function, {"operation": "audit", **request, "continuation": continuation}, compared)
        yield result
        continuation = result["continuation"]
        if result["done"]:
            return


def _invoke(client: Any, function: str, event: dict[str, Any], compared: Comparison) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE * 2 ** (attempt - 1))
        try:
            answer = client.invoke(FunctionName=function, Payload=json.dumps(event))
        except client.exceptions.ResourceNotFoundException as error:
            raise CouldNotStart(
                f"there is no {function} in {client.meta.region_name}; deploy the region first"
            ) from error
        except (BotoCoreError, ClientError):
            if attempt == _TRIES - 1:
                raise
            continue
        result = json.load(answer["Payload"])
        if "FunctionError" not in answer:
            return result
        if result.get("errorType") not in _RETRIED:
            break
    failed = f"{function} failed: {result.get('errorType')} {result.get('errorMessage', '')}".rstrip()
    if compared.counts:
        raise Incomplete(f"{failed}; {compared} until then. Start the audit again")
    raise CouldNotStart(f"{failed}; the audit needs the database's writer and the region's journal")


def _document(target: Environment, at: Place, compared: Comparison, sample: int | None) -> dict[str, Any]:
    return {
        "environment": target.name,
        "region": target.region(at),
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "sample": sample,
        "counts": compared.counts,
        "findings": compared.findings,
    }


def _print(compared: Comparison, limit: int, output: Path | None) -> None:
    if shown := compared.findings[:limit]:
        table = Table("payment", "finding", box=None, pad_edge=False, header_style="bold")
        table.columns[0].overflow = "fold"  # ids are copied from the terminal
        for finding in shown:
            table.add_row(finding["payment_id"], f"{finding['kind']}: {MEANING[finding['kind']]}")
        Console().print(table)
    if output is not None:
        typer.echo(f"all {len(compared.findings):,} findings: {output}")
    elif compared.faults > len(shown):
        typer.echo(f"{compared.faults - len(shown):,} more findings; --output FILE writes all of them")
    if recorded := compared.counts.get("recorded", 0):
        typer.echo(f"recorded in the backlog: {recorded:,}; the ledger posts them within minutes, then audit again")
    pending = compared.counts.get("pending", 0)
    typer.echo(f"{compared}; pending: {pending:,}")
