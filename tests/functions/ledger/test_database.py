"""The statements of the ledger table, on a real PostgreSQL server behind the Data API."""

from datetime import UTC, datetime, timedelta

from ledger.database import CHUNK, FIND_LIMIT, Database

from common.payment_record import JournalEntry
from tests.functions.harness import EAST_1
from tests.functions.ledger.world import LedgerWorld, entry


def post(database: Database, entries: list[JournalEntry]) -> None:
    for start in range(0, len(entries), CHUNK):
        assert database.post(entries[start : start + CHUNK], region=EAST_1, permit=lambda: 1) == {}


def test_rows_are_found_by_up_to_a_thousand_ids_in_one_statement(aws: LedgerWorld) -> None:
    database, before = aws.ledger_table(), datetime.now(UTC)
    entries = [entry(number) for number in range(FIND_LIMIT)]
    post(database, entries[::2])
    after = datetime.now(UTC)

    found = database.find([each.payment_id for each in entries])

    assert {payment_id: row.content_hash for payment_id, row in found.items()} == {
        each.payment_id: each.content_hash for each in entries[::2]
    }
    margin = timedelta(seconds=1)
    assert all(before - margin < row.posted_at < after + margin for row in found.values())


def test_ids_with_quotes_and_commas_are_values_and_not_syntax(aws: LedgerWorld) -> None:
    database = aws.ledger_table()
    strange = entry(1, payment_id="a,b'c\"d\\e")
    post(database, [strange])

    assert list(database.find(["a", "b'c", strange.payment_id])) == [strange.payment_id]


def test_a_missing_table_holds_no_rows(aws: LedgerWorld) -> None:
    assert aws.ledger_table().find(["order-0001"]) == {}
    assert aws.rows() == []
