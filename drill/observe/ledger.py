"""The ledger's rows in each member of the embedded AWS's database, read by SQL."""

from contextlib import closing
from typing import Any

import psycopg2

from drill.model.errors import ProbeError
from drill.model.status import Row

_COLUMNS = "payment_id, amount, currency, debtor, creditor, reference, content_hash, posted_in, writer_epoch, posted_at"
_SELECT = f"SELECT {_COLUMNS}, announced_at IS NOT NULL FROM ledger"
_CONNECT_SECONDS = 2
_STATEMENT_MS = 5000


class LedgerReader:
    """Reads one member. `url` names it and its user; a reader answers as well as a writer."""

    def __init__(self, url: str, password: str) -> None:
        self._url, self._password = url, password

    def rows(self) -> dict[str, Row]:
        """All rows, by payment id; none before the first payment was posted. Raises ProbeError."""
        found = self._query(_SELECT, ())
        return {row.payment_id: row for row in (_row(values) for values in found)}

    def count(self, prefix: str) -> int:
        """Payments whose reference begins with `prefix`. Raises ProbeError."""
        found = self._query("SELECT count(*) FROM ledger WHERE starts_with(reference, %s)", (prefix,))
        return int(found[0][0]) if found else 0

    def _query(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        try:
            with closing(
                psycopg2.connect(
                    self._url,
                    password=self._password,
                    connect_timeout=_CONNECT_SECONDS,
                    options=f"-c statement_timeout={_STATEMENT_MS}",
                )
            ) as connection:
                connection.set_session(readonly=True, autocommit=True)
                with connection.cursor() as cursor:
                    cursor.execute(sql, values)
                    return list(cursor.fetchall())
        except psycopg2.errors.UndefinedTable:
            return []  # the first payment creates it
        except psycopg2.Error as error:
            raise ProbeError(
                f"the ledger does not answer: {type(error).__name__}: {str(error).strip()[:200]}"
            ) from error


def _row(values: tuple[Any, ...]) -> Row:
    names = [*(name.strip() for name in _COLUMNS.split(",")), "announced"]
    named: dict[str, Any] = dict(zip(names, values, strict=True))
    return Row(**(named | {"content_hash": named["content_hash"].strip()}))  # PostgreSQL pads its char
