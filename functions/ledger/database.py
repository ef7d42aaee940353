"""The ledger's table, through the Data API: no connection to keep, none to lose when the writer moves."""

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from common.payment_record import JournalEntry

# What the two Aurora engines are told, and how each says what is wrong. Pure data.
#
# Values travel as text and are cast by the statement, so that no number passes through floating point.


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


# One statement's worth: it has to be done within `control_statement_seconds`.
CHUNK = 100

_CODES = (re.compile(r"SQLState: (\w{5})"), re.compile(r"[Ee]rror code: (\d+)"))


class DatabaseUnavailable(Exception):
    """The writer did not do what it was asked, and may do it later; the message is an error's name."""


class _Refused(Exception):
    """The database refused a statement. `codes` are its error's; the message is left out, as it may quote a payment."""

    def __init__(self, codes: Sequence[str]) -> None:
        super().__init__("/".join(codes))
        self.codes = codes


class Database:
    """Posts payments and finds them. Its table is made when it is first missed."""

    def __init__(
        self, client: Any, *, cluster_arn: str, secret_arn: Callable[[], str], database: str, dialect: Dialect
    ) -> None:
        """`secret_arn` is asked once, with the first statement, and may raise botocore's errors."""
        self._client = client
        self._where = {"resourceArn": cluster_arn, "database": database}
        self._secret_arn = functools.cache(secret_arn)
        self._dialect = dialect

    def post(self, entries: Sequence[JournalEntry], *, region: str, permit: Callable[[], int]) -> dict[str, str]:
        """Store at most CHUNK payments, each once; what is there stays. Why each payment that never can be stored
        cannot, by id: the others are stored nonetheless. Raises DatabaseUnavailable, and whatever `permit` raises.

        `permit` is asked before each statement, for the epoch under which it is sent.
        """
        epoch = permit()
        try:
            self._insert([self._parameters(entry, region, epoch) for entry in entries])
        except _Refused as refused:
            if not any(map(self._dialect.is_hopeless, refused.codes)):
                raise DatabaseUnavailable(str(refused)) from None
            if len(entries) == 1:
                return {entries[0].payment_id: f"the database refused it: {refused}"}
        else:
            return {}
        middle = len(entries) // 2
        halves = (entries[:middle], entries[middle:])
        return {
            payment_id: reason
            for half in halves
            for payment_id, reason in self.post(half, region=region, permit=permit).items()
        }

    def find(self, payment_ids: Sequence[str]) -> dict[str, str]:
        """The content hash of each of at most CHUNK payments that is stored. Raises DatabaseUnavailable."""
        if not payment_ids:
            return {}
        parameters = [_text(f"id{i}", payment_id) for i, payment_id in enumerate(payment_ids)]
        sql = self._dialect.find(len(payment_ids))
        try:
            found = self._with_table(
                lambda: self._client.execute_statement(**self._target(), sql=sql, parameters=parameters)
            )
        except _Refused as refused:
            raise DatabaseUnavailable(str(refused)) from None
        return {row[0]["stringValue"]: row[1]["stringValue"] for row in found["records"]}

    def _target(self) -> dict[str, str]:
        return {**self._where, "secretArn": self._secret_arn()}

    def _insert(self, sets: list[list[dict[str, Any]]]) -> None:
        sql = self._dialect.insert
        self._with_table(lambda: self._client.batch_execute_statement(**self._target(), sql=sql, parameterSets=sets))

    def _with_table(self, call: Callable[[], Any]) -> Any:
        try:
            return self._call(call)
        except _Refused as refused:
            if not any(map(self._dialect.lacks_table, refused.codes)):
                raise
        self._create()
        return self._call(call)

    def _create(self) -> None:
        """Make the table. Raises DatabaseUnavailable.

        Two who make it at once can get in each other's way even with IF NOT EXISTS, which PostgreSQL answers with a
        violated constraint of its own catalogue; the second try finds the table.
        """
        sql, problem = self._dialect.create, ""
        for _ in range(2):
            try:
                self._call(lambda: self._client.execute_statement(**self._target(), sql=sql))
            except _Refused as refused:
                problem = str(refused)
            else:
                return
        raise DatabaseUnavailable(f"its table could not be made: {problem}")

    def _call(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except ClientError as error:
            said = error.response.get("Error", {})
            codes = [found for pattern in _CODES for found in pattern.findall(said.get("Message", ""))]
            if codes:
                raise _Refused(codes) from None
            raise DatabaseUnavailable(said.get("Code", "ClientError")) from None
        except BotoCoreError as error:
            raise DatabaseUnavailable(type(error).__name__) from None

    def _parameters(self, entry: JournalEntry, region: str, epoch: int) -> list[dict[str, Any]]:
        values = {**asdict(entry), "posted_in": region, "writer_epoch": str(epoch)}
        values["accepted_at"] = self._dialect.moment(entry.accepted_at)
        return [_text(name, value) for name, value in values.items()]


def chunks(entries: Sequence[JournalEntry]) -> Iterable[Sequence[JournalEntry]]:
    """`entries` in order, in parts that one statement takes."""
    return (entries[start : start + CHUNK] for start in range(0, len(entries), CHUNK))


def _text(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": {"stringValue": value}}
