"""Reads one run's ledger rows through the Data API, since the database is not reachable from outside its VPC.

Data API answers for the member that writes only [AURORA-17], so the other one's rows are not compared.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from drill.asking import looking
from drill.check import database
from drill.ledger import Row
from drill.probes import ProbeError
from drill.site import Site
from shared.naming import Names
from shared.places import Place

_COLUMNS = (
    "payment_id", "amount", "currency", "debtor", "creditor", "reference", "content_hash", "posted_in", "writer_epoch",
    "posted_at",
)  # fmt: skip
_PAGE = 1000  # rows in an answer, which holds at most 1 MiB
_NO_TABLE = ("42P01", "1146")  # PostgreSQL's and MySQL's word for it; the first payment makes the table


class EnvironmentLedger:
    """Reads what references with `prefix` were posted as."""

    def __init__(self, site: Site, prefix: str) -> None:
        self._site, self._prefix = site, prefix

    def count(self, place: Place) -> int:
        """Raises ProbeError."""
        found = self._ask(place, "SELECT count(*) FROM ledger WHERE reference LIKE :prefix")
        return int(_plain(found[0][0])) if found else 0

    def rows(self, place: Place) -> dict[str, Row]:
        """By payment id. Raises ProbeError."""
        rows: dict[str, Row] = {}
        while True:
            found = self._ask(
                place,
                f"SELECT {', '.join(map(_as_text, _COLUMNS))} FROM ledger WHERE reference LIKE :prefix "
                f"ORDER BY payment_id LIMIT {_PAGE} OFFSET {len(rows)}",
            )
            rows |= {row.payment_id: row for row in map(_row, found)}
            if len(found) < _PAGE:
                return rows

    def _ask(self, place: Place, sql: str) -> list[list[dict[str, Any]]]:
        deployment = self._site.whole
        names = Names(deployment.suffix)
        with looking(f"the ledger in {self._site.region(place)} does not answer"):
            secret = self._site.client("secretsmanager", place).describe_secret(SecretId=names.database_secret)["ARN"]
            client = self._site.client("rds-data", place)
            try:
                answer = client.execute_statement(
                    resourceArn=database.member_arn(deployment, place),
                    secretArn=secret,
                    database=deployment.spanning.database_name,
                    sql=sql,
                    parameters=[{"name": "prefix", "value": {"stringValue": f"{self._prefix}%"}}],
                )
            except client.exceptions.ClientError as error:
                if any(code in str(error) for code in _NO_TABLE):
                    return []
                raise
        found: list[list[dict[str, Any]]] = answer["records"]
        return found


def _as_text(column: str) -> str:
    """Both engines take `char`; a number must not pass through floating point."""
    return f"CAST({column} AS char(200))" if column in ("amount", "writer_epoch", "posted_at") else column


def _plain(field: dict[str, Any]) -> Any:
    return next(iter(field.values()))


def _row(fields: Sequence[dict[str, Any]]) -> Row:
    held = {name: str(_plain(each)).strip() for name, each in zip(_COLUMNS, fields, strict=True)}
    moment = datetime.fromisoformat(held["posted_at"])
    return Row(
        payment_id=held["payment_id"],
        amount=Decimal(held["amount"]),
        currency=held["currency"],
        debtor=held["debtor"],
        creditor=held["creditor"],
        reference=held["reference"],
        content_hash=held["content_hash"],
        posted_in=held["posted_in"],
        writer_epoch=int(held["writer_epoch"]),
        posted_at=moment if moment.tzinfo else moment.replace(tzinfo=UTC),
    )


def writer(site: Site) -> Place:
    """Where the ledger is written now. Raises ProbeError."""
    with looking("the database's writer cannot be found"):
        found = database.writer(site.whole)
    if found is None:
        raise ProbeError("the global database has no writer")
    return found
