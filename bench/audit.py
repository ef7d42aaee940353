"""`python -m bench.audit`: calls and time of an audit of many payments, three of which are wrong.

The ledger is PostgreSQL behind the embedded AWS's Data API. The journal is computed, page by page, as the embedded
DynamoDB sorts the whole table for each page of a Scan. Exits with 1 if the audit needs more calls than its formula
(`functions/ledger/audit.py`) allows, or does not name exactly the three payments.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import ClientError
from rich.console import Console
from rich.table import Table

from localaws import launch
from localaws.core.environment import ACCOUNT

sys.path.insert(0, str(Path(__file__).parents[1] / "functions"))  # as in the function's archive

from ledger.audit import Audit, AuditRequest
from ledger.contents import Contents
from ledger.database import DIALECTS, TABLE, Database
from ledger.journal_pages import JournalPages

from common.backlog import Backlog
from common.payment_record import JournalEntry, payment_key

ENGINE, REGION, NAME = "aurora-postgresql", "us-east-1", "bench"
SEGMENTS = 4
_AT_ONCE = 50_000  # rows of one statement
_SECONDS = 20.0  # of one invocation, as `dr audit` asks for
_TIMEOUT = 300.0  # seconds until the database is available
_ACCEPTED = datetime(2026, 1, 1, tzinfo=UTC)
_PARTIES = {"currency": "EUR", "debtor": "DE89370400440532013000", "creditor": "FR1420041010050500013M02606"}
# The canonical form of `payment_record.content_hash`.
_CANONICAL = (
    '{"amount":"12.50","creditor":"' + _PARTIES["creditor"] + '","currency":"EUR","debtor":"' + _PARTIES["debtor"]
) + '","payment_id":"%s","reference":"%s"}'

console = Console()


@dataclass(frozen=True, kw_only=True)
class Journal:
    """A DynamoDB client with one table: `count` payments, without the `absent` ones."""

    count: int
    absent: Sequence[int]
    calls: Counter[str]

    def scan(self, *, Limit: int, Segment: int, ExclusiveStartKey: Any = None, **_: Any) -> dict[str, Any]:
        self.calls["Scan"] += 1
        first = Segment if ExclusiveStartKey is None else number_of(ExclusiveStartKey["pk"]["S"]) + SEGMENTS
        numbers = range(first, self.count, SEGMENTS)
        page = numbers[:Limit]
        last = {"LastEvaluatedKey": {"pk": {"S": payment_key(payment_id(page[-1]))}}} if len(page) == Limit else {}
        return {"Items": [entry(number).to_item() for number in page if number not in self.absent], **last}

    def batch_get_item(self, *, RequestItems: Any) -> dict[str, Any]:
        self.calls["BatchGetItem"] += 1
        keys = [key for each in RequestItems.values() for key in each["Keys"]]
        return {"Responses": {NAME: [key for key in keys if number_of(key["pk"]["S"]) not in self.absent]}}


def payment_id(number: int) -> str:
    return f"order-{number:09}"


def number_of(key: str) -> int:
    return int(key.rpartition("-")[2])


def entry(number: int) -> JournalEntry:
    content = {"payment_id": payment_id(number), "amount": "12.50", **_PARTIES, "reference": f"invoice {number}"}
    return JournalEntry.accept(content, at=_ACCEPTED, region=REGION)


class Server:
    """The embedded AWS's PostgreSQL, reached through the Data API."""

    def __init__(self, endpoint: str, calls: Counter[str]) -> None:
        self._endpoint = endpoint
        rds, secrets = self.client("rds"), self.client("secretsmanager")
        login = {"MasterUsername": "bench", "MasterUserPassword": "bench-password"}
        secret = '{"username": "bench", "password": "bench-password"}'
        secret_arn = secrets.create_secret(Name=NAME, SecretString=secret)["ARN"]
        rds.create_global_cluster(GlobalClusterIdentifier=NAME, Engine=ENGINE)
        cluster = rds.create_db_cluster(
            DBClusterIdentifier=NAME,
            Engine=ENGINE,
            GlobalClusterIdentifier=NAME,
            EnableHttpEndpoint=True,
            DatabaseName=NAME,
            **login,
        )["DBCluster"]
        instance = {"DBInstanceIdentifier": NAME, "DBClusterIdentifier": NAME, "DBInstanceClass": "db.serverless"}
        rds.create_db_instance(Engine=ENGINE, **instance)
        data_api = self.client("rds-data")
        self.database = Database(
            data_api,
            cluster_arn=cluster["DBClusterArn"],
            secret_arn=lambda: str(secret_arn),
            database=NAME,
            dialect=DIALECTS[ENGINE],
        )
        self._target = {"resourceArn": cluster["DBClusterArn"], "secretArn": secret_arn, "database": NAME}
        self._data_api = data_api
        self._wait()
        data_api.meta.events.register("before-call", lambda model, **_: calls.update([model.name]))

    def client(self, service: str) -> Any:
        make: Any = boto3.client  # the stubs have one overload for each service
        config = Config(read_timeout=60, max_pool_connections=SEGMENTS + 1)
        keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "embedded"}
        return make(service, region_name=REGION, endpoint_url=self._endpoint, config=config, **keys)

    def run(self, sql: str) -> None:
        self._data_api.execute_statement(**self._target, sql=sql)

    def fill(self, count: int) -> None:
        """A row for each payment of the journal; the database computes the hashes."""
        self.database.find([payment_id(0)])  # creates the table
        columns = "payment_id, reference, content_hash, amount, currency, debtor, creditor"
        fixed = ", ".join(f"'{_PARTIES[name]}'" for name in ("currency", "debtor", "creditor"))
        for first in range(0, count, _AT_ONCE):
            last = min(count, first + _AT_ONCE) - 1
            self.run(
                f"""INSERT INTO {TABLE} ({columns}, accepted_at, accepted_in, posted_in, writer_epoch)
                SELECT id, text, encode(sha256(convert_to(replace(replace('{_CANONICAL}', '"%s","ref', '"' || id
                || '","ref'), '"%s"', '"' || text || '"'), 'UTF8')), 'hex'), 12.50, {fixed}, '{_ACCEPTED.isoformat()}',
                '{REGION}', '{REGION}', 0 FROM (SELECT 'order-' || lpad(n::text, 9, '0') AS id, 'invoice ' || n AS text
                FROM generate_series({first}, {last}) AS n) AS payments"""
            )

    def _wait(self) -> None:
        until = time.monotonic() + _TIMEOUT
        while True:
            try:
                return self.run("SELECT 1")
            except ClientError:
                if time.monotonic() > until:
                    raise
                time.sleep(1)


def main(
    count: Annotated[int, typer.Option(help="payments in the journal and in the ledger", min=1000)] = 1_000_000,
) -> None:
    """Audit an embedded AWS started for the benchmark."""
    calls: Counter[str] = Counter()
    gone, absent, wrong = 7, count // 2, count - 1
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        launch.start(log_file=Path(folder) / "server.log") as server,
    ):
        Path(folder).chmod(0o711)  # PostgreSQL runs as another user when we are root
        ledger = Server(server.endpoint, calls)
        began = time.monotonic()
        ledger.fill(count)
        ledger.run(f"DELETE FROM {TABLE} WHERE payment_id = '{payment_id(gone)}'")
        ledger.run(f"UPDATE {TABLE} SET amount = 12.51 WHERE payment_id = '{payment_id(wrong)}'")
        console.print(f"{count:,} rows made in {time.monotonic() - began:.0f} s")
        calls.clear()
        journal = JournalPages(Journal(count=count, absent=[absent], calls=calls), table=NAME)
        audit = Audit(
            journal,
            journal,
            contents=Contents(ledger.database, engine=ENGINE),
            backlog=Backlog(None, region=REGION, table=NAME),  # nothing is recorded in it
            segments=SEGMENTS,
            grace_seconds=300,
        )
        began, cpu = time.monotonic(), time.process_time()
        found, invocations = _all(audit)
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    expected = {
        (payment_id(gone), "not-in-ledger"),
        (payment_id(absent), "not-in-journal"),
        (payment_id(wrong), "differs"),
    }
    allowed = 3 * count / 1000 + count / 100 + invocations * (3 * SEGMENTS + 2) + 1
    table = Table(title=f"Audit of {count:,} payments", title_justify="left")
    for name in ("calls", "allowed", "invocations", "s", "CPU s"):
        table.add_column(name, justify="right")
    table.add_row(*(f"{figure:,.0f}" for figure in (calls.total(), allowed, invocations, seconds, cpu)))
    console.print(table)
    console.print(", ".join(f"{name} {number:,}" for name, number in calls.most_common()))
    console.print(f"found: {', '.join(sorted(' '.join(each) for each in found))}")
    raise typer.Exit(0 if found == expected and calls.total() <= allowed else 1)


def _all(audit: Audit) -> tuple[set[tuple[str, str]], int]:
    """The findings, and the number of invocations."""
    found: set[tuple[str, str]] = set()
    invocations, continuation = 0, None
    while True:
        event = {"continuation": continuation, "seconds": _SECONDS}
        result = audit.run(AuditRequest.parse(event, segments=SEGMENTS), lambda: False)
        invocations += 1
        found |= {(each["payment_id"], each["kind"]) for each in result["findings"]}
        continuation = result["continuation"]
        if result["done"]:
            return found, invocations


if __name__ == "__main__":
    typer.run(main)
