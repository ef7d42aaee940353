"""The ledger table, through the RDS Data API: there is no connection that a change of writer could break.

The two Aurora engines differ in SQL and in their error codes (`Dialect`). Values are sent as text and cast by the
statement, so that no amount passes through floating point.
"""

import functools
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from common.payment_record import JournalEntry

TABLE = "ledger"

# PostgreSQL's data exceptions and constraint violations: no retry can store the row.
# https://www.postgresql.org/docs/16/errcodes-appendix.html
_POSTGRES_PERMANENT = ("22", "23")
# Data too long, out of range, wrong for the column, not null, check constraint.
# https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
_MYSQL_PERMANENT = frozenset({"1048", "1264", "1265", "1292", "1366", "1406", "3819"})

_COLUMNS = (
    "payment_id, amount, currency, debtor, creditor, reference, content_hash, accepted_at, accepted_in, posted_in, "
    "writer_epoch, announced_at"
)

# The rows of the payment ids in `ids`, a JSON array: a condition, and a join.
POSTGRES_AMONG_IDS = "payment_id = ANY (ARRAY(SELECT jsonb_array_elements_text(CAST(:ids AS jsonb))))"
MYSQL_AMONG_IDS = "JOIN JSON_TABLE(:ids, '$[*]' COLUMNS (id varchar(64) PATH '$')) AS given ON payment_id = given.id"

# Rows that are not announced yet, in the order in which they are.
_POSTGRES_INDEX = (
    f"CREATE INDEX IF NOT EXISTS {TABLE}_unannounced ON {TABLE} (posted_at, payment_id) WHERE announced_at IS NULL"
)
_MYSQL_INDEX = f"INDEX {TABLE}_unannounced (announced_at, posted_at, payment_id)"
# Wider than the table's columns, so that a value that is too long is an error of the row and no NULL.
_MYSQL_GIVEN = ", ".join(
    f"{each.name} varchar(1000) PATH '$.{each.name}' ERROR ON ERROR" for each in fields(JournalEntry)
)


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """SQL and error codes of an engine. `insert` stores the payments in `payments` and keeps existing rows, `find`
    selects the rows of the payment ids in `ids`; both are JSON arrays, so that a statement has few parameters however
    many payments it is about. Times that are selected are microseconds since 1970 in UTC. `create` and `migrate` are
    atomic, and harmless if repeated. `is_permanent`: no retry can help; `lacks_table`: the table does not exist;
    `lacks_column`: it has no `announced_at`; all by the error's code. `counts_new`: the number of updated records that
    `insert` returns is that of the new rows; MySQL's can count existing ones."""

    create: str
    migrate: str
    insert: str
    find: str
    durable_until: str  # a SELECT of each region of the global database, and until when its rows are durable there
    is_permanent: Callable[[str], bool]
    lacks_table: Callable[[str], bool]
    lacks_column: Callable[[str], bool]
    timestamp: Callable[[str], str]  # from the journal's ISO 8601 to the engine's format
    counts_new: bool


DIALECTS = {
    "aurora-postgresql": Dialect(
        # A block, since the table without its index would never get it; the Data API takes one statement per call.
        create=f"""DO $$ BEGIN CREATE TABLE IF NOT EXISTS {TABLE} (
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
            posted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            announced_at timestamptz
        ); {_POSTGRES_INDEX}; END $$""",
        # The default is for the existing rows, which an older version of this function announced, and for those that
        # it adds while it is still running.
        migrate=f"""DO $$ BEGIN
            ALTER TABLE {TABLE} ADD COLUMN IF NOT EXISTS announced_at timestamptz DEFAULT now();
            {_POSTGRES_INDEX};
        END $$""",
        insert=f"""INSERT INTO {TABLE} ({_COLUMNS}) SELECT
            payment_id, CAST(amount AS numeric), currency, debtor, creditor, reference, content_hash,
            CAST(accepted_at AS timestamptz), accepted_in, :posted_in, CAST(:writer_epoch AS bigint), NULL
            FROM jsonb_to_recordset(CAST(:payments AS jsonb)) AS given(
                payment_id text, amount text, currency text, debtor text, creditor text, reference text,
                content_hash text, accepted_at text, accepted_in text
            ) ON CONFLICT (payment_id) DO NOTHING""",
        find=f"""SELECT payment_id, content_hash, CAST(extract(epoch FROM posted_at) * 1000000 AS bigint)
            FROM {TABLE} WHERE {POSTGRES_AMONG_IDS}""",
        durable_until="""SELECT aws_region, CAST(extract(epoch FROM last_lag_calculation_time) * 1000000 AS bigint)
            - CAST(durability_lag_in_msec AS bigint) * 1000 FROM aurora_global_db_status()""",
        is_permanent=lambda code: len(code) == 5 and code.startswith(_POSTGRES_PERMANENT),
        lacks_table=lambda code: code == "42P01",
        lacks_column=lambda code: code == "42703",
        timestamp=lambda moment: moment,
        counts_new=True,
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
            posted_at datetime(6) NOT NULL DEFAULT (utc_timestamp(6)),
            announced_at datetime(6),
            {_MYSQL_INDEX}
        ) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin""",
        # A literal default, so that no row is rewritten; there is no ADD COLUMN IF NOT EXISTS.
        migrate=f"""ALTER TABLE {TABLE} ADD COLUMN announced_at datetime(6) DEFAULT '2000-01-01', ADD {_MYSQL_INDEX}""",
        # Not INSERT IGNORE, which would also truncate values that are too long or too large, without an error.
        insert=f"""INSERT INTO {TABLE} ({_COLUMNS}) SELECT
            given.payment_id, CAST(given.amount AS decimal(15, 3)), given.currency, given.debtor, given.creditor,
            given.reference, given.content_hash, CAST(given.accepted_at AS datetime(6)), given.accepted_in,
            :posted_in, CAST(:writer_epoch AS signed), NULL
            FROM JSON_TABLE(:payments, '$[*]' COLUMNS ({_MYSQL_GIVEN})) AS given
            ON DUPLICATE KEY UPDATE payment_id = {TABLE}.payment_id""",
        find=f"""SELECT payment_id, content_hash, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', posted_at)
            FROM {TABLE} {MYSQL_AMONG_IDS}""",
        durable_until="""SELECT aws_region, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', last_lag_calculation_timestamp)
            - CAST(durability_lag_in_milliseconds AS signed) * 1000 FROM information_schema.aurora_global_db_status""",
        is_permanent=lambda code: code in _MYSQL_PERMANENT,
        lacks_table=lambda code: code in ("1146", "42S02"),
        lacks_column=lambda code: code in ("1054", "42S22"),
        timestamp=lambda moment: moment.replace("T", " ").removesuffix("Z"),
        counts_new=False,
    ),
}


# Rows that one statement inserts: it has to finish within `control_statement_seconds`.
CHUNK = 500
# Payments that one statement looks up by their ids.
FIND_LIMIT = 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# A column or an index of this name exists.
_MYSQL_EXISTS = frozenset({"1060", "1061", "42S21"})

_CODES = (re.compile(r"SQLState: (\w{5})"), re.compile(r"[Ee]rror code: (\d+)"))


@dataclass(frozen=True, kw_only=True)
class Row:
    """A payment's row in the ledger."""

    content_hash: str
    posted_at: datetime  # aware, UTC; of the statement's execution, so shortly before its commit


@dataclass(frozen=True, kw_only=True)
class Stored:
    """The result of storing payments. Those in neither field have a row; which statement made it is not
    known."""

    new: list[JournalEntry] = field(default_factory=list)  # this call made their rows
    rejected: dict[str, str] = field(default_factory=dict)  # the reason by payment id: they can never be stored


class DatabaseUnavailable(Exception):
    """The writer failed to run a statement; a retry may succeed. The message is an error's code or class name."""


class _Rejected(Exception):
    """The database rejected a statement with `codes`. Its message is dropped, because it may quote a payment."""

    def __init__(self, codes: Sequence[str]) -> None:
        super().__init__("/".join(codes))
        self.codes = codes


class Database:
    """Stores and finds payments. Creates its table, or an older one's column `announced_at`, when a statement fails
    because it is missing."""

    def __init__(
        self, client: Any, *, cluster_arn: str, secret_arn: Callable[[], str], database: str, dialect: Dialect
    ) -> None:
        """`secret_arn` is called once, with the first statement, and may raise botocore's errors."""
        self._client = client
        self._where = {"resourceArn": cluster_arn, "database": database}
        self._secret_arn = functools.cache(secret_arn)
        self._dialect = dialect

    def post(self, entries: Sequence[JournalEntry], *, region: str, permit: Callable[[], int]) -> Stored:
        """Store at most CHUNK payments, each once; existing rows are kept, and payments that can never be stored do not
        keep the others from it.

        `permit` is called before each statement and returns the writer's epoch under which it is sent. Raises
        DatabaseUnavailable, and what `permit` raises.
        """
        epoch = permit()
        try:
            made = self._insert(entries, region, epoch)
        except _Rejected as rejected:
            if not any(map(self._dialect.is_permanent, rejected.codes)):
                raise DatabaseUnavailable(str(rejected)) from None
            if len(entries) == 1:
                return Stored(rejected={entries[0].payment_id: f"the database rejected it: {rejected}"})
        else:
            return Stored(new=list(entries) if self._dialect.counts_new and made == len(entries) else [])
        middle = len(entries) // 2
        first, second = (self.post(half, region=region, permit=permit) for half in (entries[:middle], entries[middle:]))
        return Stored(new=first.new + second.new, rejected=first.rejected | second.rejected)

    def find(self, payment_ids: Sequence[str]) -> dict[str, Row]:
        """The rows by payment id of those among at most FIND_LIMIT payments that are stored. Raises
        DatabaseUnavailable."""
        if not payment_ids:
            return {}
        found = self.select(self._dialect.find, ids=json.dumps(list(payment_ids)))
        return {
            payment_id["stringValue"]: Row(
                content_hash=content_hash["stringValue"],
                posted_at=EPOCH + timedelta(microseconds=posted_at["longValue"]),
            )
            for payment_id, content_hash, posted_at in found
        }

    def durable_until(self) -> dict[str, datetime]:
        """By region of the global database, the time until which committed rows are durable in its storage; without
        regions that have not reported any. Raises DatabaseUnavailable."""
        return {
            region["stringValue"]: EPOCH + timedelta(microseconds=moment["longValue"])
            for region, moment in self.select(self._dialect.durable_until)
            if "longValue" in moment
        }

    def select(self, sql: str, **texts: str) -> list[list[dict[str, Any]]]:
        """The Data API's records of a SELECT with these parameters. Raises DatabaseUnavailable."""
        records: list[list[dict[str, Any]]] = self.execute(sql, **texts)["records"]
        return records

    def execute(self, sql: str, **texts: str) -> dict[str, Any]:
        """The Data API's response to a statement with these parameters. Raises DatabaseUnavailable."""
        parameters = [_text(name, value) for name, value in texts.items()]
        try:
            response: dict[str, Any] = self._with_table(
                lambda: self._client.execute_statement(**self._target(), sql=sql, parameters=parameters)
            )
        except _Rejected as rejected:
            raise DatabaseUnavailable(str(rejected)) from None
        return response

    def _target(self) -> dict[str, str]:
        return {**self._where, "secretArn": self._secret_arn()}

    def _insert(self, entries: Sequence[JournalEntry], region: str, epoch: int) -> int:
        """The number of records that the Data API reports as updated."""
        payments = [{**vars(entry), "accepted_at": self._dialect.timestamp(entry.accepted_at)} for entry in entries]
        parameters = [
            _text("payments", json.dumps(payments)),
            _text("posted_in", region),
            _text("writer_epoch", str(epoch)),
        ]
        sql = self._dialect.insert
        response = self._with_table(
            lambda: self._client.execute_statement(**self._target(), sql=sql, parameters=parameters)
        )
        return int(response.get("numberOfRecordsUpdated", 0))

    def _with_table(self, call: Callable[[], Any]) -> Any:
        try:
            return self._call(call)
        except _Rejected as rejected:
            if any(map(self._dialect.lacks_table, rejected.codes)):
                sql = self._dialect.create
            elif any(map(self._dialect.lacks_column, rejected.codes)):
                sql = self._dialect.migrate
            else:
                raise
        self._define(sql)
        return self._call(call)

    def _define(self, sql: str) -> None:
        """Create the table or its column. Raises DatabaseUnavailable.

        Of two concurrent ones, one can fail even with IF NOT EXISTS: PostgreSQL then reports a violated constraint of
        its own catalogue, and MySQL a column that exists. The second attempt succeeds, or the repeated statement does.
        """
        problem = ""
        for _ in range(2):
            try:
                self._call(lambda: self._client.execute_statement(**self._target(), sql=sql))
            except _Rejected as rejected:
                problem = str(rejected)
                if any(code in _MYSQL_EXISTS for code in rejected.codes):
                    return
            else:
                return
        raise DatabaseUnavailable(f"its table could not be created: {problem}")

    def _call(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except ClientError as error:
            details = error.response.get("Error", {})
            codes = [code for pattern in _CODES for code in pattern.findall(details.get("Message", ""))]
            if codes:
                raise _Rejected(codes) from None
            raise DatabaseUnavailable(details.get("Code", "ClientError")) from None
        except BotoCoreError as error:
            raise DatabaseUnavailable(type(error).__name__) from None


def chunks(entries: Sequence[JournalEntry]) -> Iterable[Sequence[JournalEntry]]:
    """`entries` in order, in parts of at most CHUNK."""
    return (entries[start : start + CHUNK] for start in range(0, len(entries), CHUNK))


def _text(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": {"stringValue": value}}
