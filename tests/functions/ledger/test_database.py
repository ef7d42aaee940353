"""The statements of the ledger table, on a real PostgreSQL server behind the Data API."""

from datetime import UTC, datetime, timedelta

from ledger.database import CHUNK, DIALECTS, FIND_LIMIT, Database, Stored

from common.payment_record import JournalEntry
from tests.functions.harness import EAST_1
from tests.functions.ledger.world import LedgerWorld, entry


def post(database: Database, entries: list[JournalEntry]) -> None:
    for start in range(0, len(entries), CHUNK):
        part = entries[start : start + CHUNK]
        assert database.post(part, region=EAST_1, permit=lambda: 1) == Stored(new=part)


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


def test_rows_are_new_if_the_statement_made_all_of_them(aws: LedgerWorld) -> None:
    database = aws.ledger_table()
    post(database, [entry(1)])

    assert database.post([entry(1)], region=EAST_1, permit=lambda: 2) == Stored()
    assert database.post([entry(1), entry(2)], region=EAST_1, permit=lambda: 2) == Stored(), "which one is not known"
    assert database.post([entry(2), entry(3)], region=EAST_1, permit=lambda: 2) == Stored()
    assert database.post([entry(4)], region=EAST_1, permit=lambda: 2) == Stored(new=[entry(4)])


def test_rows_beside_a_rejected_one_can_be_new(aws: LedgerWorld) -> None:
    database = aws.ledger_table()
    wrong = entry(2, amount="secret")

    stored = database.post([entry(1), wrong, entry(3)], region=EAST_1, permit=lambda: 1)

    assert stored == Stored(new=[entry(1), entry(3)], rejected={"order-0002": "the database rejected it: 22P02"})


def test_mysqls_count_of_updated_records_is_not_used() -> None:
    assert {engine: dialect.counts_new for engine, dialect in DIALECTS.items()} == {
        "aurora-postgresql": True,
        "aurora-mysql": False,
    }


def test_ids_with_quotes_and_commas_are_values_and_not_syntax(aws: LedgerWorld) -> None:
    database = aws.ledger_table()
    strange = entry(1, payment_id="a,b'c\"d\\e")
    post(database, [strange])

    assert list(database.find(["a", "b'c", strange.payment_id])) == [strange.payment_id]


def test_a_missing_table_holds_no_rows(aws: LedgerWorld) -> None:
    assert aws.ledger_table().find(["order-0001"]) == {}
    assert aws.rows() == []
