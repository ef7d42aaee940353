"""The ledger function: entries that it posts and records, and those that become dead letters."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from ledger.application import UnknownEventError
from ledger.database import CHUNK

from common.clock import timestamp
from tests.functions.harness import EAST_1, EAST_2
from tests.functions.ledger.world import NOON, SECRET_WORDS, Context, LedgerWorld, entry, record


def process(aws: LedgerWorld, *records: dict[str, Any], region: str = EAST_1, **changed: str) -> list[str]:
    """Hand a batch over; the records to be brought again."""
    answer = aws.function(region, **changed).answer({"Records": list(records)}, Context())
    return [failed["itemIdentifier"] for failed in answer["batchItemFailures"]]


def batch(*numbers: int) -> list[dict[str, Any]]:
    return [record(entry(number).to_item(), number) for number in numbers]


def test_a_payment_is_posted_exactly_and_not_announced(aws: LedgerWorld) -> None:
    aws.name_writer(EAST_1, 7)
    yen = entry(2, amount="1200000000001", currency="JPY")

    assert process(aws, record(entry(1).to_item(), 1), record(yen.to_item(), 2)) == []

    assert aws.rows("payment_id, amount::text, currency, reference, content_hash, writer_epoch") == [
        ("order-0001", "12.50", "EUR", SECRET_WORDS, entry(1).content_hash, 7),
        ("order-0002", "1200000000001", "JPY", SECRET_WORDS, yen.content_hash, 7),
    ]
    assert aws.rows("extract(epoch FROM accepted_at)::bigint") == [int(NOON.timestamp()) + 1, int(NOON.timestamp()) + 2]
    assert aws.unannounced() == ["order-0001", "order-0002"]
    assert aws.announced() == []


def test_what_was_accepted_before_the_claim_of_the_writer_is_posted_and_recorded(aws: LedgerWorld) -> None:
    """The previous writer may have posted it, and lost the row: no other backlog has it."""
    claim = NOON + timedelta(seconds=100)
    aws.put({**aws.writer_record(EAST_1, 7), "since": {"S": timestamp(claim)}})

    assert process(aws, *batch(99, 159, 161)) == []

    assert aws.rows() == ["order-0099", "order-0159", "order-0161"]
    assert aws.backlog() == [["order-0099", "order-0159"]]


def test_the_same_payment_again_is_posted_once(aws: LedgerWorld) -> None:
    assert process(aws, *batch(1, 2)) == []
    assert process(aws, *batch(2, 1, 1, 3)) == []

    assert aws.rows() == ["order-0001", "order-0002", "order-0003"]


def test_a_large_batch_takes_several_statements(aws: LedgerWorld) -> None:
    assert process(aws, *batch(*range(2 * CHUNK + 1))) == []

    assert len(aws.rows()) == 2 * CHUNK + 1


def test_two_functions_that_create_the_table_at_once_both_post(aws: LedgerWorld) -> None:
    functions = [aws.function() for _ in range(4)]
    answers = []

    def post(number: int) -> None:
        answers.append(functions[number].answer({"Records": batch(number)}, Context()))

    threads = [threading.Thread(target=post, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [{"batchItemFailures": []}] * 4
    assert len(aws.rows()) == 4


def test_what_cannot_be_posted_goes_to_the_dead_letters_and_blocks_nothing(aws: LedgerWorld) -> None:
    torn = {"pk": {"S": "payment#order-0002"}, "kind": {"S": "payment"}, "amount": {"S": SECRET_WORDS}}
    huge = entry(4, amount="a lot")

    failed = process(aws, *batch(1), record(torn, 2), *batch(3), record(huge.to_item(), 4), *batch(5))

    assert failed == []
    assert aws.rows() == ["order-0001", "order-0003", "order-0005"]
    poison = {message["payment_id"]: message for message in aws.messages(aws.poison_url)}
    assert poison["order-0002"]["reason"] == "attribute currency of the item is missing or not text"
    assert poison["order-0004"]["reason"] == "the database rejected it: 22P02"
    assert poison["order-0004"]["sequence"] == "4"
    assert SECRET_WORDS not in str(poison) + aws.log.getvalue()


def test_content_put_over_other_content_is_reported_and_the_ledger_keeps_the_first(aws: LedgerWorld) -> None:
    ours, older = entry(1), entry(1, amount="99.00")
    process(aws, record(ours.to_item(), 1))

    assert process(aws, record(older.to_item(), 2, old=ours.to_item())) == []
    assert process(aws, record(older.to_item(), 3, old=older.to_item())) == []

    assert aws.rows("amount::text") == ["12.50"]
    (report,) = aws.messages(aws.poison_url)
    assert "replaced the content" in report["reason"]


def test_the_reader_records_the_batch_in_its_own_backlog_with_one_log_line(aws: LedgerWorld) -> None:
    assert process(aws, *batch(1, 2), region=EAST_2) == []

    (line,) = [line for line in aws.log_lines() if line["message"].startswith("batch ")]
    assert (line["message"], line["reason"]) == ("batch recorded", "reader")
    assert (line["records"], line["recorded"]) == (2, 2)
    assert aws.backlog(EAST_2) == [["order-0001", "order-0002"]]
    assert aws.backlog(EAST_1) == []


def test_the_reader_reports_content_that_was_replaced(aws: LedgerWorld) -> None:
    ours, older = entry(1), entry(1, amount="99.00")

    assert process(aws, record(ours.to_item(), 1, old=older.to_item()), region=EAST_2) == []

    (report,) = aws.messages(aws.poison_url, EAST_2)
    assert (report["payment_id"], report["found_in"]) == ("order-0001", EAST_2)
    assert "replaced the content" in report["reason"]
    assert aws.backlog(EAST_2) == [["order-0001"]]


def test_the_writer_records_nothing_that_it_posted(aws: LedgerWorld) -> None:
    assert process(aws, *batch(1, 2)) == []

    assert aws.backlog(EAST_1) == []


def test_what_cannot_be_posted_for_minutes_is_recorded_and_leaves_the_stream(aws: LedgerWorld) -> None:
    reader = aws.database.clusters[EAST_2]  # the Data API refuses on a member that is no writer
    old = [record(entry(number).to_item(), number, age=301) for number in (1, 2)]

    assert process(aws, *old, *batch(3), CLUSTER_ARN=reader) == []

    assert aws.backlog(EAST_1) == [["order-0001", "order-0002", "order-0003"]]
    assert process(aws, *old, CLUSTER_ARN=reader, CLOCK_SPEED="0.5") == ["1"], "150 AWS seconds only"


def test_a_backlog_that_does_not_answer_keeps_the_batch(aws: LedgerWorld) -> None:
    assert process(aws, *batch(1, 2), region=EAST_2, BACKLOG_TABLE="none") == ["1"]
    assert aws.log_lines()[-1]["reason"].startswith("BacklogUnavailable")


def test_a_writer_that_may_not_post_keeps_the_batch(aws: LedgerWorld) -> None:
    aws.put({"pk": {"S": f"region#{EAST_1}"}, "state": {"S": "fenced"}, "epoch": {"N": "1"}})

    assert process(aws, *batch(4, 5)) == ["4"]

    (line,) = [line for line in aws.log_lines() if line["message"].startswith("batch ")]
    assert (line["level"], line["message"], line["reason"]) == ("WARNING", "batch waiting", "fenced")


def test_a_role_that_is_being_handed_over_keeps_the_batch(aws: LedgerWorld) -> None:
    aws.name_writer("", 3)

    assert process(aws, *batch(4)) == ["4"]
    assert process(aws, *batch(4), region=EAST_2) == ["4"]


def test_a_reader_reads_nothing_for_a_batch_between_two_observations(
    aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.name_writer(EAST_1, 1)
    function = aws.function(EAST_2, CONTROL_DECISION_SECONDS="30")
    function.answer({"Records": batch(1)}, Context())
    calls: list[tuple[str, str]] = []
    any_client: Any = BaseClient
    call = any_client._make_api_call

    def recorded(client: Any, operation: str, arguments: Any) -> Any:
        calls.append((operation, client.meta.region_name))
        return call(client, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", recorded)
    function.answer({"Records": batch(2)}, Context())

    assert calls == [("PutItem", EAST_2)]


def test_a_database_that_does_not_answer_keeps_the_batch(aws: LedgerWorld) -> None:
    reader = aws.database.clusters[EAST_2]  # the Data API refuses on a member that is no writer

    assert process(aws, *batch(1, 2), CLUSTER_ARN=reader) == ["1"]
    assert aws.log_lines()[-1]["reason"] == "DatabaseUnavailable: DatabaseUnavailableException"


def test_control_records_memories_and_deletions_are_no_payments(aws: LedgerWorld) -> None:
    deleted = {**batch(1)[0], "eventName": "REMOVE"}
    memory = record({"pk": {"S": "confirmed#us-east-1"}, "seen_at": {"N": "1"}}, 2)

    assert process(aws, deleted, memory) == []
    assert aws.messages(aws.poison_url) == []


def test_neither_content_nor_secrets_are_logged(aws: LedgerWorld, capsys: pytest.CaptureFixture[str]) -> None:
    process(aws, *batch(1, 2))
    process(aws, *batch(3), CLUSTER_ARN=aws.database.clusters[EAST_2])

    output = aws.log.getvalue() + capsys.readouterr().out
    assert "batch posted" in output
    assert "SECRET" not in output
    assert SECRET_WORDS not in output
    assert "12.50" not in output
    assert aws.database.secret not in output


def test_an_event_of_neither_kind_is_refused(aws: LedgerWorld) -> None:
    with pytest.raises(UnknownEventError):
        aws.function().answer({"operation": "dance"}, Context())
