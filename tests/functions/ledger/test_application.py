"""What the ledger function posts, announces, skips and hands to people."""

import threading
from typing import Any

import pytest
from botocore.client import BaseClient
from ledger.application import UnknownEventError
from ledger.database import CHUNK
from ledger.replay import ReplayRequestError

from tests.functions.harness import EAST_1, EAST_2
from tests.functions.ledger.world import NOON, SECRET_WORDS, Context, LedgerWorld, entry, record

SINCE = "2026-11-20T12:00:00Z"


def process(aws: LedgerWorld, *records: dict[str, Any], region: str = EAST_1, **changed: str) -> list[str]:
    """Hand a batch over; the records to be brought again."""
    answer = aws.function(region, **changed).answer({"Records": list(records)}, Context())
    return [failed["itemIdentifier"] for failed in answer["batchItemFailures"]]


def batch(*numbers: int) -> list[dict[str, Any]]:
    return [record(entry(number).to_item(), number) for number in numbers]


def test_a_payment_is_posted_exactly_and_announced(aws: LedgerWorld) -> None:
    aws.name_writer(EAST_1, 7)
    yen = entry(2, amount="1200000000001", currency="JPY")

    assert process(aws, record(entry(1).to_item(), 1), record(yen.to_item(), 2)) == []

    assert aws.rows("payment_id, amount::text, currency, reference, content_hash, writer_epoch") == [
        ("order-0001", "12.50", "EUR", SECRET_WORDS, entry(1).content_hash, 7),
        ("order-0002", "1200000000001", "JPY", SECRET_WORDS, yen.content_hash, 7),
    ]
    assert aws.rows("extract(epoch FROM accepted_at)::bigint") == [int(NOON.timestamp()) + 1, int(NOON.timestamp()) + 2]
    (event, _) = aws.messages(aws.events_url)
    assert (event["source"], event["detail-type"]) == ("payments", "payment.accepted")
    assert "SECRET" not in str(event)
    assert event["detail"]["content_hash"] in (entry(1).content_hash, yen.content_hash)


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
    assert aws.rows() == aws.announced() == ["order-0001", "order-0003", "order-0005"]
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


def test_the_readers_region_skips_with_one_log_line(aws: LedgerWorld) -> None:
    assert process(aws, *batch(1, 2), region=EAST_2) == []

    (line,) = [line for line in aws.log_lines() if line["message"].startswith("batch ")]
    assert (line["message"], line["reason"]) == ("batch skipped", "reader")
    assert line["records"] == 2


def test_a_writer_that_may_not_post_keeps_the_batch(aws: LedgerWorld) -> None:
    aws.put({"pk": {"S": f"region#{EAST_1}"}, "state": {"S": "fenced"}, "epoch": {"N": "1"}})

    assert process(aws, *batch(4, 5)) == ["4"]

    (line,) = [line for line in aws.log_lines() if line["message"].startswith("batch ")]
    assert (line["level"], line["message"], line["reason"]) == ("WARNING", "batch waiting", "fenced")


def test_a_role_that_is_being_handed_over_keeps_the_batch(aws: LedgerWorld) -> None:
    aws.name_writer("", 3)

    assert process(aws, *batch(4)) == ["4"]
    assert process(aws, *batch(4), region=EAST_2) == ["4"]


def test_a_skip_is_decided_on_a_read_younger_than_the_batch(aws: LedgerWorld) -> None:
    aws.name_writer(EAST_2, 1)
    function = aws.function(CONTROL_DECISION_SECONDS="30")
    function.answer({"Records": batch(1)}, Context())
    aws.name_writer(EAST_1, 2)

    function.answer({"Records": batch(2)}, Context())

    assert aws.rows() == ["order-0002"]


def test_a_reader_reads_its_own_replica_once_for_each_batch_between_two_observations(
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

    assert calls == [("GetItem", EAST_2)]


def test_a_database_that_does_not_answer_keeps_the_batch(aws: LedgerWorld) -> None:
    reader = aws.database.clusters[EAST_2]  # the Data API refuses on a member that is no writer

    assert process(aws, *batch(1, 2), CLUSTER_ARN=reader) == ["1"]
    assert aws.log_lines()[-1]["reason"] == "DatabaseUnavailable: DatabaseUnavailableException"


def test_control_records_memories_and_deletions_are_no_payments(aws: LedgerWorld) -> None:
    deleted = {**batch(1)[0], "eventName": "REMOVE"}
    memory = record({"pk": {"S": "confirmed#us-east-1"}, "seen_at": {"N": "1"}}, 2)

    assert process(aws, deleted, memory) == []
    assert aws.announced() == []
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


# --- replay ---


def replay(aws: LedgerWorld, *, remaining_ms: int = 60_000, **event: Any) -> dict[str, Any]:
    request = {"operation": "replay", "since": SINCE, **event}
    return aws.function(REPLAY_SEGMENTS="3").answer(request, Context(remaining_ms=remaining_ms))


def test_a_replay_posts_what_is_missing_and_only_that(aws: LedgerWorld) -> None:
    for number in range(250):
        aws.put(entry(number).to_item())
    process(aws, *batch(*range(0, 250, 2)))
    aws.announced()

    found = replay(aws)

    assert {name: found[name] for name in ("checked", "missing", "posted", "done", "continuation")} == {
        "checked": 250,
        "missing": 125,
        "posted": 125,
        "done": True,
        "continuation": None,
    }
    assert len(aws.rows()) == 250
    assert aws.announced() == [entry(number).payment_id for number in range(1, 250, 2)]
    assert replay(aws)["missing"] == 0


def test_a_replay_skips_entries_before_its_time(aws: LedgerWorld) -> None:
    for number in (1, 2, 3):
        aws.put(entry(number).to_item())

    assert replay(aws, since="2026-11-20T13:00:02+01:00")["posted"] == 2
    assert aws.rows() == ["order-0002", "order-0003"]


def test_a_replay_goes_on_where_its_time_ran_out(aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.replay._PAGE", 10)
    for number in range(100):
        aws.put(entry(number).to_item())
    found, runs = replay(aws, remaining_ms=0), 1
    assert (found["done"], found["checked"]) == (False, 0)

    calls = iter(range(10**6))
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _: 0 if next(calls) % 6 == 5 else 60_000)
    while not found["done"]:
        found, runs = replay(aws, continuation=found["continuation"]), runs + 1

    assert runs > 2
    assert (found["checked"], found["missing"], found["posted"]) == (100, 100, 100)
    assert len(aws.rows()) == 100


def test_a_replay_reports_what_it_cannot_post_and_what_differs(aws: LedgerWorld) -> None:
    process(aws, *batch(1))
    aws.put(entry(1, amount="99.00").to_item())
    aws.put({"pk": {"S": "payment#order-0002"}, "kind": {"S": "payment"}, "accepted_at": {"S": "2026-11-20T12:30:00"}})
    aws.put(entry(3, currency="FOUR").to_item())

    found = replay(aws)

    assert (found["checked"], found["posted"], found["poisoned"], found["conflicting"]) == (3, 0, 2, 1)
    reported = {message["payment_id"] for message in aws.messages(aws.poison_url)}
    assert reported == {"order-0001", "order-0002", "order-0003"}


def test_a_replay_in_the_readers_region_is_refused_before_anything_is_announced(aws: LedgerWorld) -> None:
    aws.put(entry(1).to_item(), EAST_2)

    with pytest.raises(Exception, match="reader"):
        aws.function(EAST_2).answer({"operation": "replay", "since": SINCE}, Context())
    assert aws.announced() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"since": "yesterday"},
        {"since": "2026-11-20T12:00:00"},
        {"since": None},
        {"continuation": {}},
        {"continuation": {"segments": 8, "places": {}, "counts": {}}},
    ],
)
def test_an_invalid_replay_request_is_rejected_with_its_reason(aws: LedgerWorld, wrong: dict[str, Any]) -> None:
    with pytest.raises(ReplayRequestError):
        replay(aws, **wrong)


def test_an_event_of_neither_kind_is_refused(aws: LedgerWorld) -> None:
    with pytest.raises(UnknownEventError):
        aws.function().answer({"operation": "dance"}, Context())
