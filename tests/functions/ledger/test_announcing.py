"""Publication of posted payments by the announcer: which ones, when, and how often."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ledger.announcer_call import PostedBatch
from ledger.announcing import RESERVE_MS, Announcer, UnknownEventError
from ledger.database import DatabaseUnavailable

from common.clock import timestamp
from tests.functions.harness import EAST_1, EAST_2
from tests.functions.ledger.world import ANNOUNCER, NOON, Context, LedgerWorld, entry, failing, ids, record
from tests.local.aurora_world import PASSWORD, USER, eventually

SWEEP = {"operation": "sweep"}
SETTLED = 30_000  # seconds: rows of this age are a sweep's (`LedgerWorld.announcer`)
IN_BETWEEN = 25_000


def batch(*numbers: int) -> list[dict[str, Any]]:
    return [record(entry(number).to_item(), number) for number in numbers]


def post(aws: LedgerWorld, *numbers: int, region: str = EAST_1) -> None:
    assert aws.function(region).answer({"Records": batch(*numbers)}, Context()) == {"batchItemFailures": []}


def announce(aws: LedgerWorld, *numbers: int, announcer: Announcer | None = None) -> int:
    """Hand a posted batch over; how many payments were announced."""
    event = {"operation": "announce", "payment_ids": ids(*numbers)}
    return int((announcer or aws.announcer()).answer(event, Context())["announced"])


def sweep(aws: LedgerWorld, region: str = EAST_1, **changed: str) -> dict[str, Any]:
    return aws.announcer(region, **changed).answer(SWEEP, Context())


def test_a_batch_announces_its_posted_payments_once(aws: LedgerWorld) -> None:
    post(aws, 1, 2, 3)

    assert announce(aws, 1, 2) == 2
    assert announce(aws, 1, 2, 2) == 0

    events = {event["detail"]["payment_id"]: event for event in aws.events()}
    assert sorted(events) == ids(1, 2)
    assert aws.unannounced() == ids(3)
    detail = events["order-0001"]["detail"]
    assert (detail["amount"], detail["currency"], detail["synthetic"]) == ("12.50", "EUR", False)
    assert (detail["content_hash"], detail["accepted_at"]) == (entry(1).content_hash, entry(1).accepted_at)
    assert detail["idempotency_key"] == "payment.accepted:order-0001"
    assert "SECRET" not in str(events)


def test_a_payment_that_is_not_posted_is_not_announced(aws: LedgerWorld) -> None:
    post(aws, 1)

    assert announce(aws, 1, 2) == 1
    assert aws.announced() == ids(1)


def test_a_row_is_announced_either_by_its_batch_or_by_a_sweep(aws: LedgerWorld) -> None:
    post(aws, 1)
    assert sweep(aws)["announced"] == 0, "its batch may be publishing it now"

    aws.pass_seconds(IN_BETWEEN)
    assert announce(aws, 1) == 0
    assert sweep(aws)["announced"] == 0
    assert aws.announced() == []

    aws.pass_seconds(SETTLED - IN_BETWEEN)
    assert announce(aws, 1) == 0
    assert sweep(aws)["announced"] == 1
    assert aws.announced() == ids(1)


def test_batches_and_sweeps_at_the_same_time_announce_each_payment_once(aws: LedgerWorld) -> None:
    post(aws, *range(100))
    aws.pass_seconds(SETTLED)
    post(aws, *range(100, 200))
    announcers = [aws.announcer() for _ in range(3)]
    calls = [
        lambda: announcers[0].answer(SWEEP, Context()),
        lambda: announce(aws, *range(50), *range(100, 150), announcer=announcers[1]),
        lambda: announce(aws, *range(50, 100), *range(150, 200), announcer=announcers[2]),
    ]
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert aws.announced() == ids(*range(200))
    assert aws.unannounced() == []


def test_an_outage_of_eventbridge_delays_announcements_only(aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = aws.function()
    with failing(monkeypatch, "PutEvents") as calls:
        for minute in range(3):
            numbers = range(500 * minute, 500 * (minute + 1))
            for start in range(0, 500, 100):
                assert not ledger.answer({"Records": batch(*numbers[start : start + 100])}, Context())[
                    "batchItemFailures"
                ]
            assert announce(aws, *numbers) == 0
            aws.pass_seconds(SETTLED)
            assert sweep(aws) == {"role": "writer", "announced": 0, "unannounced": 500 * (minute + 1)}
    assert len(aws.rows()) == 1500
    assert calls.count("PutEvents") <= 3 * 2 * 10, "each invocation gives up after its first parallel calls"

    assert sweep(aws) == {"role": "writer", "announced": 1500, "unannounced": 0}
    assert aws.announced() == ids(*range(1500)), "each once"


def test_what_the_old_writer_posted_and_never_announced_is_announced_by_the_new_one(aws: LedgerWorld) -> None:
    post(aws, 1, 2, 3)
    announce(aws, 1)
    assert aws.announced() == ids(1)
    aws.pass_seconds(SETTLED)
    with moved_writer(aws):
        assert sweep(aws, EAST_2) == {"role": "writer", "announced": 2, "unannounced": 0}
        assert sweep(aws, EAST_1)["role"] == "reader"
        assert aws.announced(EAST_2) == ids(2, 3)


@contextmanager
def moved_writer(aws: LedgerWorld) -> Iterator[None]:
    """The writer in us-east-2, with all rows; afterwards it is in us-east-1 again."""
    secret = {"username": USER, "password": PASSWORD}
    name = aws.database.secret.split(":")[-1].rsplit("-", 1)[0]
    aws.client("secretsmanager", EAST_2).create_secret(Name=name, SecretString=json.dumps(secret))
    _move(aws, EAST_2, epoch=1)
    try:
        yield
    finally:
        _move(aws, EAST_1, epoch=2)


def _move(aws: LedgerWorld, region: str, *, epoch: int) -> None:
    database = aws.database
    database.switch_over(region)
    eventually(lambda: database.writer() == database.clusters[region] and database.available(), "the new writer")
    for replica in (EAST_1, EAST_2):
        aws.name_writer(region, epoch, replica=replica)


def test_a_failed_mark_announces_again_and_nothing_else_does(aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    post(aws, 1, 2)
    with failing(monkeypatch, "ExecuteStatement", after=1):
        assert announce(aws, 1) == 0
    assert aws.announced() == ids(1)
    aws.pass_seconds(SETTLED)

    assert sweep(aws)["announced"] == 2
    assert aws.announced() == ids(1, 2)
    assert sweep(aws)["announced"] == 0


def test_a_sweep_reads_page_after_page(aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.announcing.PAGE", 10)
    monkeypatch.setattr("ledger.announcements.PAGE", 10)
    post(aws, *range(95))
    aws.pass_seconds(SETTLED)

    assert sweep(aws)["announced"] == 95
    assert aws.announced() == ids(*range(95))


def test_a_sweep_ends_when_its_time_is_nearly_up(aws: LedgerWorld) -> None:
    post(aws, 1)
    aws.pass_seconds(SETTLED)

    context = Context(remaining_ms=RESERVE_MS - 1)
    assert aws.announcer().answer(SWEEP, context) == {"role": "writer", "announced": 0, "unannounced": 1}


def test_a_sweep_measures_what_is_left_in_aws_seconds(aws: LedgerWorld, capsys: pytest.CaptureFixture[str]) -> None:
    post(aws, 1)
    aws.pass_seconds(1000)
    post(aws, 2)
    capsys.readouterr()

    sweep(aws, CLOCK_SPEED="10")

    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "UnannouncedPayments" in line]
    assert line["UnannouncedPayments"] == [2.0]
    assert 10_000 <= line["UnannouncedOldestSeconds"][0] < 20_000
    assert line["service"] == "announcer"


def test_a_sweep_in_the_readers_region_makes_one_call(aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    announcer = aws.announcer(EAST_2)
    with failing(monkeypatch, "none") as calls:
        assert announcer.answer(SWEEP, Context()) == {"role": "reader"}

    assert calls == ["GetItem"]


def test_a_database_that_does_not_answer_leaves_everything_to_a_later_sweep(aws: LedgerWorld) -> None:
    reader = aws.database.clusters[EAST_2]  # the Data API refuses on a member that is no writer

    assert announce(aws, 1, announcer=aws.announcer(CLUSTER_ARN=reader)) == 0
    assert sweep(aws, CLUSTER_ARN=reader) == {"role": "writer", "failed": True}
    assert aws.log_lines()[-1]["reason"] == "DatabaseUnavailable: DatabaseUnavailableException"


def test_an_older_table_gets_the_column_and_its_rows_count_as_announced(aws: LedgerWorld) -> None:
    post(aws, 1, 2)
    for change in ("DROP INDEX ledger_unannounced", "ALTER TABLE ledger DROP COLUMN announced_at"):
        aws.database.sql(EAST_1, change)

    post(aws, 2, 3)

    assert aws.unannounced() == ids(3)
    assert aws.rows() == ids(1, 2, 3)
    index = "SELECT indexdef FROM pg_indexes WHERE indexname = 'ledger_unannounced'"
    assert "WHERE (announced_at IS NULL)" in aws.database.sql(EAST_1, index)[0][0]


def test_an_older_table_is_changed_once_by_several_functions(aws: LedgerWorld) -> None:
    post(aws, 1)
    aws.database.sql(EAST_1, "ALTER TABLE ledger DROP COLUMN announced_at")
    functions = [aws.announcer() for _ in range(4)]
    failures: list[DatabaseUnavailable] = []

    def announce_or_note(function: Announcer) -> None:
        try:
            function._announcements.backlog()
        except DatabaseUnavailable as problem:
            failures.append(problem)

    threads = [threading.Thread(target=announce_or_note, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert aws.unannounced() == []


def test_an_event_of_neither_kind_is_refused(aws: LedgerWorld) -> None:
    with pytest.raises(UnknownEventError):
        aws.announcer().answer({"operation": "dance"}, Context())


# --- the ledger's invocation ---


def test_the_ledger_has_its_posted_payments_announced(aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    invoked: list[dict[str, Any]] = []
    with failing(monkeypatch, "none", instead={"Invoke": invoked.append}):
        post(aws, 1, 2)

    (invocation,) = invoked
    assert (invocation["FunctionName"], invocation["InvocationType"]) == (ANNOUNCER, "Event")
    with failing(monkeypatch, "none") as calls:
        assert aws.announcer().answer(json.loads(invocation["Payload"]), Context()) == {"announced": 2}
    assert calls.count("ExecuteStatement") == 1, "the mark; new rows need not be read"
    assert aws.announced() == ids(1, 2)
    assert aws.unannounced() == []


def invocation_of(aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch, records: list[dict[str, Any]]) -> dict[str, Any]:
    """The event with which the ledger invokes the announcer after this batch."""
    invoked: list[dict[str, Any]] = []
    with failing(monkeypatch, "none", instead={"Invoke": invoked.append}):
        aws.function().answer({"Records": records}, Context())
    event: dict[str, Any] = json.loads(invoked[0]["Payload"])
    return event


def test_a_new_row_is_announced_as_if_it_were_read(aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    yen, dinar = entry(2, currency="JPY", amount="1200000000001"), entry(3, currency="KWD", amount="0.125")
    items = [entry(1).to_item(), yen.to_item(), dinar.to_item()]

    event = invocation_of(aws, monkeypatch, [record(item, number) for number, item in enumerate(items)])

    given, read = PostedBatch.parse(event).new, aws.announcer()._announcements.of_batch(ids(1, 2, 3))
    assert "SECRET" not in str(event)
    assert [replace(each, posted_at=NOON) for each in given] == [
        replace(each, posted_at=NOON) for each in sorted(read, key=lambda row: row.payment_id)
    ]
    assert all(each.posted_at <= row.posted_at for each, row in zip(given, read, strict=True))


def test_a_batch_with_an_older_row_is_announced_as_the_rows_are(
    aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(aws, 1)
    announce(aws, 1)
    assert aws.announced() == ids(1)

    event = invocation_of(aws, monkeypatch, batch(1, 2))

    assert (event["payments"], event["payment_ids"]) == ([], ids(1, 2))
    assert aws.announcer().answer(event, Context()) == {"announced": 1}
    assert aws.announced() == ids(2)


def test_a_late_invocation_leaves_its_new_rows_to_a_sweep(aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    event = invocation_of(aws, monkeypatch, batch(1))
    event["posted_at"] = timestamp(datetime.now(UTC) - timedelta(seconds=25))
    late = aws.announcer(ANNOUNCE_YOUNG_SECONDS="20", ANNOUNCE_SETTLED_SECONDS="30")
    late_by_the_clock = aws.announcer(ANNOUNCE_YOUNG_SECONDS="2000", ANNOUNCE_SETTLED_SECONDS="3000", CLOCK_SPEED="100")

    assert late.answer(event, Context()) == {"announced": 0}
    assert late_by_the_clock.answer(event, Context()) == {"announced": 0}
    assert aws.unannounced() == ids(1)
    assert aws.announcer().answer(event, Context()) == {"announced": 1}


def test_a_batch_that_is_not_posted_is_not_announced(aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    with failing(monkeypatch, "none") as calls:
        aws.function(EAST_2).answer({"Records": batch(1)}, Context())
        aws.function(CLUSTER_ARN=aws.database.clusters[EAST_2]).answer({"Records": batch(1)}, Context())

    assert "Invoke" not in calls


def test_posting_goes_on_while_the_announcer_cannot_be_invoked(
    aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = aws.function()
    with failing(monkeypatch, "Invoke") as calls:
        for number in range(10):
            assert function.answer({"Records": batch(number)}, Context()) == {"batchItemFailures": []}

    assert calls.count("Invoke") == 2, "each further one would delay posting"
    assert aws.unannounced() == ids(*range(10))
    aws.pass_seconds(SETTLED)
    assert sweep(aws)["announced"] == 10
