"""The rows of the ledger table that are not announced yet: selected for announcing, marked afterwards, and counted.

A row is selected either by the payment ids of a batch that the ledger has posted or by a sweep, never by both at the
same time: the first takes rows younger than a limit, the second takes rows older than a higher one, and both ages are
the database's. Rows that a batch has made itself are not selected, but announced as the batch gives them
(`announcer_call`), while their age is below the same limit.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from common.currencies import MINOR_DIGITS

from .database import EPOCH, MYSQL_AMONG_IDS, POSTGRES_AMONG_IDS, TABLE, Database

# Rows of one statement: their columns stay well below the Data API's limit for a result [AURORA-23].
PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """A posted payment that is not announced yet."""

    payment_id: str
    amount: str  # decimal, with exactly the currency's minor digits
    currency: str  # ISO 4217
    content_hash: str
    accepted_at: datetime
    accepted_in: str  # region
    posted_at: datetime


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """The rows that are not announced yet. `oldest_seconds`: since the oldest one was posted; 0 if there is none."""

    payments: int
    oldest_seconds: float


@dataclass(frozen=True, kw_only=True)
class Statements:
    """An engine's statements. Ages are in microseconds; times are microseconds since 1970 in UTC."""

    of_batch: str  # rows younger than `age` of the ids in `ids`, a JSON array, that are not announced
    of_sweep: str  # rows older than `age` that are not announced, behind the row (`posted_at`, `payment_id`)
    mark: str  # the rows of the ids in `ids`
    count: str


_POSTGRES_COLUMNS = """payment_id, CAST(amount AS text), currency, content_hash,
    CAST(extract(epoch FROM accepted_at) * 1000000 AS bigint), accepted_in,
    CAST(extract(epoch FROM posted_at) * 1000000 AS bigint)"""
_POSTGRES_AGE = "CAST(extract(epoch FROM now() - posted_at) * 1000000 AS bigint)"
_POSTGRES_CUTOFF = "now() - CAST(:age AS bigint) * interval '1 microsecond'"
_POSTGRES_AFTER = "timestamptz 'epoch' + CAST(:posted_at AS bigint) * interval '1 microsecond'"

_MYSQL_COLUMNS = """payment_id, CAST(amount AS char), currency, content_hash,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01', accepted_at), accepted_in,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01', posted_at)"""
_MYSQL_AGE = "TIMESTAMPDIFF(MICROSECOND, posted_at, utc_timestamp(6))"
_MYSQL_CUTOFF = "utc_timestamp(6) - INTERVAL CAST(:age AS signed) MICROSECOND"
_MYSQL_AFTER = "timestamp('1970-01-01') + INTERVAL CAST(:posted_at AS signed) MICROSECOND"


def _of_sweep(columns: str, cutoff: str, after: str) -> str:
    return f"""SELECT {columns} FROM {TABLE}
        WHERE announced_at IS NULL AND posted_at < {cutoff} AND posted_at >= {after}
            AND (posted_at > {after} OR payment_id > :payment_id)
        ORDER BY posted_at, payment_id LIMIT {PAGE}"""


STATEMENTS = {
    "aurora-postgresql": Statements(
        of_batch=f"""SELECT {_POSTGRES_COLUMNS} FROM {TABLE}
            WHERE {POSTGRES_AMONG_IDS} AND announced_at IS NULL AND posted_at > {_POSTGRES_CUTOFF}""",
        of_sweep=_of_sweep(_POSTGRES_COLUMNS, _POSTGRES_CUTOFF, _POSTGRES_AFTER),
        mark=f"""UPDATE {TABLE} SET announced_at = now()
            WHERE announced_at IS NULL AND {POSTGRES_AMONG_IDS}""",
        count=f"SELECT count(*), max({_POSTGRES_AGE}) FROM {TABLE} WHERE announced_at IS NULL",
    ),
    "aurora-mysql": Statements(
        of_batch=f"""SELECT {_MYSQL_COLUMNS} FROM {TABLE} {MYSQL_AMONG_IDS}
            WHERE announced_at IS NULL AND posted_at > {_MYSQL_CUTOFF}""",
        of_sweep=_of_sweep(_MYSQL_COLUMNS, _MYSQL_CUTOFF, _MYSQL_AFTER),
        mark=f"UPDATE {TABLE} {MYSQL_AMONG_IDS} SET announced_at = utc_timestamp(6) WHERE announced_at IS NULL",
        count=f"SELECT count(*), max({_MYSQL_AGE}) FROM {TABLE} WHERE announced_at IS NULL",
    ),
}


class Announcements:
    """Selects, marks and counts rows. `young_seconds` and `settled_seconds`: up to which age a batch takes rows, and
    from which age on a sweep does. All methods raise DatabaseUnavailable."""

    def __init__(
        self, database: Database, statements: Statements, *, young_seconds: float, settled_seconds: float
    ) -> None:
        self._database = database
        self._statements = statements
        self._young, self._settled = _microseconds(young_seconds), _microseconds(settled_seconds)

    def of_batch(self, payment_ids: Collection[str]) -> list[Announcement]:
        """The young rows among at most PAGE payments that are not announced yet."""
        found = self._database.select(self._statements.of_batch, ids=_json(payment_ids), age=self._young)
        return [_announcement(row) for row in found]

    def of_sweep(self, after: Announcement | None) -> list[Announcement]:
        """The settled rows that are not announced yet, oldest first: at most PAGE of those behind `after`."""
        found = self._database.select(
            self._statements.of_sweep,
            age=self._settled,
            posted_at=_microseconds(after.posted_at.timestamp()) if after else "0",
            payment_id=after.payment_id if after else "",
        )
        return [_announcement(row) for row in found]

    def mark(self, payment_ids: Collection[str]) -> None:
        """Mark at most PAGE payments as announced."""
        if payment_ids:
            self._database.execute(self._statements.mark, ids=_json(payment_ids))

    def backlog(self) -> Backlog:
        """All rows that are not announced yet, of any age."""
        ((payments, oldest),) = self._database.select(self._statements.count)
        return Backlog(payments=payments["longValue"], oldest_seconds=oldest.get("longValue", 0) / 1_000_000)


def _announcement(row: Sequence[dict[str, Any]]) -> Announcement:
    values = [next(iter(value.values())) for value in row]  # without their types; no column is NULL
    payment_id, amount, currency, content_hash, accepted_at, accepted_in, posted_at = values
    return Announcement(
        payment_id=payment_id,
        amount=announced_amount(amount, currency),
        currency=currency,
        content_hash=content_hash,
        accepted_at=_moment(accepted_at),
        accepted_in=accepted_in,
        posted_at=_moment(posted_at),
    )


def announced_amount(amount: str, currency: str) -> str:
    """With the currency's minor digits: MySQL's column has three for every currency."""
    digits = MINOR_DIGITS.get(currency)
    return amount if digits is None else f"{Decimal(amount):.{digits}f}"


def _moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def _json(payment_ids: Collection[str]) -> str:
    return json.dumps(sorted(payment_ids))


def _microseconds(seconds: float) -> str:
    return str(round(seconds * 1_000_000))
