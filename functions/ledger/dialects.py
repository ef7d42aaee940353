"""What the two Aurora engines are told, and how each says what is wrong. Pure data.

Values travel as text and are cast by the statement, so that no number passes through floating point.
"""

from collections.abc import Callable
from dataclasses import dataclass

TABLE = "ledger"

# PostgreSQL's data exceptions and violated constraints: the row can never be stored, however often it is tried.
# https://www.postgresql.org/docs/16/errcodes-appendix.html
_POSTGRES_HOPELESS = ("22", "23")
# Data too long, out of range, wrong for the column, not null, check constraint.
# https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
_MYSQL_HOPELESS = frozenset({"1048", "1264", "1265", "1292", "1366", "1406", "3819"})

_COLUMNS = (
    "payment_id, amount, currency, debtor, creditor, reference, content_hash, accepted_at, accepted_in, posted_in, "
    "writer_epoch"
)


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """`insert` leaves a payment that is there as it is. `is_hopeless` and `lacks_table` read an error's code."""

    create: str
    insert: str
    is_hopeless: Callable[[str], bool]
    lacks_table: Callable[[str], bool]
    moment: Callable[[str], str]  # the journal's time as the engine reads it

    def find(self, count: int) -> str:
        """The statement that finds which of `count` payments are there, named `id0` and so on."""
        names = ", ".join(f":id{i}" for i in range(count))
        return f"SELECT payment_id, content_hash FROM {TABLE} WHERE payment_id IN ({names})"


DIALECTS = {
    "aurora-postgresql": Dialect(
        create=f"""CREATE TABLE IF NOT EXISTS {TABLE} (
            payment_id varchar(64) PRIMARY KEY,
            amount numeric NOT NULL CHECK (amount > 0),
            currency char(3) NOT NULL,
            debtor varchar(64) NOT NULL,
            creditor varchar(64) NOT NULL,
            reference varchar(140) NOT NULL,
            content_hash char(64) NOT NULL,
            accepted_at timestamptz NOT NULL,
            accepted_in varchar(32) NOT NULL,
            posted_in varchar(32) NOT NULL,
            writer_epoch bigint NOT NULL,
            posted_at timestamptz NOT NULL DEFAULT clock_timestamp()
        )""",
        insert=f"""INSERT INTO {TABLE} ({_COLUMNS}) VALUES (
            :payment_id, CAST(:amount AS numeric), :currency, :debtor, :creditor, :reference, :content_hash,
            CAST(:accepted_at AS timestamptz), :accepted_in, :posted_in, CAST(:writer_epoch AS bigint)
        ) ON CONFLICT (payment_id) DO NOTHING""",
        is_hopeless=lambda code: len(code) == 5 and code.startswith(_POSTGRES_HOPELESS),
        lacks_table=lambda code: code == "42P01",
        moment=lambda moment: moment,
    ),
    "aurora-mysql": Dialect(
        # Binary collation: payment ids differ by case.
        create=f"""CREATE TABLE IF NOT EXISTS {TABLE} (
            payment_id varchar(64) PRIMARY KEY,
            amount decimal(15, 3) NOT NULL CHECK (amount > 0),
            currency char(3) NOT NULL,
            debtor varchar(64) NOT NULL,
            creditor varchar(64) NOT NULL,
            reference varchar(140) NOT NULL,
            content_hash char(64) NOT NULL,
            accepted_at datetime(6) NOT NULL,
            accepted_in varchar(32) NOT NULL,
            posted_in varchar(32) NOT NULL,
            writer_epoch bigint NOT NULL,
            posted_at datetime(6) NOT NULL DEFAULT (utc_timestamp(6))
        ) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin""",
        # Not INSERT IGNORE, which would also cut what is too long and clip what is too large, without an error.
        insert=f"""INSERT INTO {TABLE} ({_COLUMNS}) VALUES (
            :payment_id, CAST(:amount AS decimal(15, 3)), :currency, :debtor, :creditor, :reference, :content_hash,
            CAST(:accepted_at AS datetime(6)), :accepted_in, :posted_in, CAST(:writer_epoch AS signed)
        ) ON DUPLICATE KEY UPDATE payment_id = {TABLE}.payment_id""",
        is_hopeless=lambda code: code in _MYSQL_HOPELESS,
        lacks_table=lambda code: code in ("1146", "42S02"),
        moment=lambda moment: moment.replace("T", " ").removesuffix("Z"),
    ),
}
