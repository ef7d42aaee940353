"""Findings of the audit: each fault by the payment's id, and nothing where journal and ledger agree."""

import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from ledger.database import DatabaseUnavailable

from common.payment_record import JournalEntry
from tests.functions.harness import EAST_1, EAST_2
from tests.functions.ledger.world import SECRET_WORDS, Context, LedgerWorld, entry, record

NONE = {"pending": 0, "not_in_ledger": 0, "not_in_journal": 0, "differing": 0, "recorded": 0}
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def payment(number: int, *, age: timedelta = HOUR, **changed: str) -> JournalEntry:
    content = {name: getattr(entry(number), name) for name in ("payment_id", "amount", "currency")}
    parties = {"debtor": "SECRETDEBTOR1", "creditor": "SECRETCREDITOR1", "reference": SECRET_WORDS}
    return JournalEntry.accept({**content, **parties, **changed}, at=datetime.now(UTC) - age, region=EAST_1)


def accept(aws: LedgerWorld, *entries: JournalEntry, post: bool = True) -> None:
    """Put payments into the journal of us-east-1, and into the ledger."""
    for each in entries:
        aws.put(each.to_item())
    if post:
        records = [record(each.to_item(), number) for number, each in enumerate(entries)]
        assert aws.function().answer({"Records": records}, Context()) == {"batchItemFailures": []}


def audit(aws: LedgerWorld, *, remaining_ms: int = 60_000, region: str = EAST_1, **event: Any) -> dict[str, Any]:
    function = aws.function(region, AUDIT_SEGMENTS="3")
    return function.answer({"operation": "audit", **event}, Context(remaining_ms=remaining_ms))


def findings(*results: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((each["payment_id"], each["kind"]) for result in results for each in result["findings"])


def forget(aws: LedgerWorld, *numbers: int) -> None:
    """Delete entries of the journal."""
    for number in numbers:
        key = entry(number).to_item()["pk"]
        aws.client("dynamodb").delete_item(TableName=aws.table, Key={"pk": key})


def run(aws: LedgerWorld, statement: str) -> None:
    aws.database.sql(EAST_1, statement)


def test_nothing_is_found_where_journal_and_ledger_agree(aws: LedgerWorld) -> None:
    accept(
        aws,
        *map(payment, range(20)),
        payment(20, amount="1200000000001", currency="JPY"),
        payment(21, amount="0.125", currency="KWD", reference=""),
        payment(22, reference="Miete für Grün, 'Café' \\ \U0001f3e0"),
    )
    aws.name_writer(EAST_1, 1)

    found = audit(aws)

    assert found == {"entries": 23, "rows": 23, **NONE, "findings": [], "done": True, "continuation": None}


def test_a_number_in_another_format_is_the_same_amount(aws: LedgerWorld) -> None:
    accept(aws, payment(1))
    run(aws, "UPDATE ledger SET amount = 12.5000")

    assert audit(aws)["findings"] == []


def test_a_removed_row_a_removed_entry_and_a_wrong_amount_are_named_by_id(aws: LedgerWorld) -> None:
    accept(aws, *map(payment, range(50)))
    run(aws, "DELETE FROM ledger WHERE payment_id = 'order-0007'")
    forget(aws, 8)
    run(aws, "UPDATE ledger SET amount = 12.51 WHERE payment_id = 'order-0009'")

    found = audit(aws)

    assert findings(found) == [
        ("order-0007", "not-in-ledger"),
        ("order-0008", "not-in-journal"),
        ("order-0009", "differs"),
    ]
    assert (found["not_in_ledger"], found["not_in_journal"], found["differing"]) == (1, 1, 1)
    assert (found["entries"], found["rows"]) == (49, 49)


def test_a_change_of_any_column_of_the_content_is_found(aws: LedgerWorld) -> None:
    changes = ("currency = 'USD'", "debtor = 'X'", "creditor = 'X'", "reference = ''", f"content_hash = '{'0' * 64}'")
    accept(aws, *map(payment, range(len(changes) + 1)))
    for number, change in enumerate(changes):
        run(aws, f"UPDATE ledger SET {change} WHERE payment_id = 'order-000{number}'")

    assert findings(audit(aws)) == [(f"order-000{number}", "differs") for number in range(len(changes))]


def test_an_entry_that_was_changed_is_found_even_if_the_row_was_changed_alike(aws: LedgerWorld) -> None:
    accept(aws, payment(1), payment(2), payment(3))
    for number in (1, 2):
        aws.put({**payment(number).to_item(), "amount": {"S": "99.00"}})
    run(aws, "UPDATE ledger SET amount = 99 WHERE payment_id = 'order-0002'")

    assert findings(audit(aws)) == [("order-0001", "differs"), ("order-0002", "differs")]


def test_an_entry_that_can_never_be_posted_is_not_in_the_ledger(aws: LedgerWorld) -> None:
    torn = {"pk": {"S": "payment#order-0002"}, "kind": {"S": "payment"}, "accepted_at": {"S": "long ago"}}
    aws.put(torn)
    accept(aws, payment(3, amount="a lot"), post=False)

    assert findings(audit(aws)) == [("order-0002", "not-in-ledger"), ("order-0003", "not-in-ledger")]


def test_payments_younger_than_the_grace_period_are_pending(aws: LedgerWorld) -> None:
    accept(aws, payment(1, age=MINUTE), payment(2, age=6 * MINUTE))
    run(aws, "DELETE FROM ledger")
    accept(aws, payment(3, age=MINUTE), payment(4, age=6 * MINUTE))
    forget(aws, 3, 4)

    found = audit(aws)

    assert found["pending"] == 2
    assert findings(found) == [("order-0002", "not-in-ledger"), ("order-0004", "not-in-journal")]


def test_a_row_whose_entry_is_in_the_other_regions_replica_only_is_in_the_journal(aws: LedgerWorld) -> None:
    accept(aws, payment(1), payment(2))
    forget(aws, 1, 2)
    aws.put(payment(1).to_item(), EAST_2)

    assert findings(audit(aws)) == [("order-0002", "not-in-journal")]

    aws.client("dynamodb", EAST_2).delete_table(TableName=aws.table)
    assert findings(audit(aws)) == [("order-0001", "not-in-journal"), ("order-0002", "not-in-journal")]


def test_an_audit_goes_on_where_its_time_ran_out(aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.audit.LIMIT", 10)
    accept(aws, *map(payment, range(100)))
    run(aws, "DELETE FROM ledger WHERE payment_id LIKE '%5'")
    forget(aws, *range(1, 100, 10))

    results = [audit(aws, remaining_ms=0)]
    while not results[-1]["done"]:
        results.append(audit(aws, remaining_ms=0, continuation=results[-1]["continuation"]))

    assert len(results) >= 9, "one page of rows in each"
    removed = {"not-in-journal": range(1, 100, 10), "not-in-ledger": range(5, 100, 10)}
    assert findings(*results) == sorted(
        (f"order-{number:04}", kind) for kind, numbers in removed.items() for number in numbers
    ), "each once"
    last = results[-1]
    assert (last["entries"], last["rows"], last["not_in_ledger"], last["not_in_journal"]) == (90, 90, 10, 10)
    assert last == {**last, "done": True, "continuation": None}


def test_an_invocation_ends_at_its_limit_of_ids_and_the_next_one_finds_the_others(
    aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.audit.LIMIT", 10)
    accept(aws, *map(payment, range(100)), post=False)

    results = [audit(aws, ids=5)]
    while not results[-1]["done"]:
        results.append(audit(aws, ids=5, continuation=results[-1]["continuation"]))

    assert len(results) >= 3
    assert len(set(findings(*results))) == results[-1]["not_in_ledger"] == 100
    assert all(len(result["findings"]) < 40 for result in results), "at most a page of each segment more"


def test_a_limit_of_no_ids_gives_exact_counts(aws: LedgerWorld) -> None:
    accept(aws, *map(payment, range(30)), post=False)

    found = audit(aws, ids=0)

    assert (found["findings"], found["not_in_ledger"], found["done"]) == ([], 30, True)


def test_an_invocation_ends_when_its_seconds_are_over(aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.audit.LIMIT", 10)
    accept(aws, *map(payment, range(100)))

    assert not audit(aws, seconds=0.000001)["done"]


def test_a_sample_of_more_than_there_is_finds_everything(aws: LedgerWorld) -> None:
    accept(aws, *map(payment, range(40)))
    run(aws, "DELETE FROM ledger WHERE payment_id = 'order-0007'")
    forget(aws, 8)
    run(aws, "UPDATE ledger SET amount = 1 WHERE payment_id = 'order-0009'")

    found = audit(aws, sample=1000)

    assert findings(found) == [
        ("order-0007", "not-in-ledger"),
        ("order-0008", "not-in-journal"),
        ("order-0009", "differs"),
    ]
    assert (found["entries"], found["rows"], found["done"]) == (39, 39, True)


def test_a_sample_compares_as_many_as_it_was_given_in_both_directions(aws: LedgerWorld) -> None:
    accept(aws, *map(payment, range(40)))

    for _ in range(5):
        found = audit(aws, sample=7)
        assert (found["entries"], found["rows"], found["findings"]) == (7, 7, [])


def test_a_sample_of_an_empty_environment_finds_nothing(aws: LedgerWorld) -> None:
    assert audit(aws, sample=10) == {
        "entries": 0,
        "rows": 0,
        **NONE,
        "findings": [],
        "done": True,
        "continuation": None,
    }


def test_the_number_of_calls_grows_with_pages_and_batches_only(
    aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the formula of the module, with pages of 50 in place of 1,000 and batches of 10 in place of 100."""
    monkeypatch.setattr("ledger.audit.LIMIT", page := 50)
    monkeypatch.setattr("ledger.audit.PER_BATCH", batch := 10)
    segments, count = 3, 400
    accept(aws, *map(payment, range(count)))
    calls: Counter[str] = Counter()
    any_client: Any = BaseClient
    call = any_client._make_api_call

    def recorded(client: Any, operation: str, arguments: Any) -> Any:
        calls[operation] += 1
        return call(client, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", recorded)
    assert audit(aws)["done"]

    assert calls["Scan"] <= count / page + segments
    assert calls["ExecuteStatement"] <= 2 * count / page + segments + 1
    assert calls["BatchGetItem"] == math.ceil(count / batch)
    assert calls.keys() == {"Scan", "ExecuteStatement", "BatchGetItem", "DescribeSecret"}


def test_an_audit_of_the_readers_region_has_no_database_to_read(aws: LedgerWorld) -> None:
    aws.put(payment(1).to_item(), EAST_2)

    with pytest.raises(DatabaseUnavailable):
        audit(aws, region=EAST_2)


def test_nothing_of_a_payment_but_its_id_leaves_the_function(
    aws: LedgerWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    accept(aws, *map(payment, range(5)))
    run(aws, "UPDATE ledger SET amount = 1")

    found = audit(aws)

    shown = str(found) + aws.log.getvalue() + capsys.readouterr().out
    assert found["differing"] == 5
    assert "SECRET" not in shown
    assert SECRET_WORDS not in shown
    assert "12.50" not in shown


def test_each_invocation_publishes_what_it_found_itself(aws: LedgerWorld, capsys: pytest.CaptureFixture[str]) -> None:
    accept(aws, *map(payment, range(5)))
    run(aws, "UPDATE ledger SET amount = 1 WHERE payment_id = 'order-0001'")
    run(aws, "DELETE FROM ledger WHERE payment_id = 'order-0002'")
    counts = {"entries": 3, "rows": 3, **NONE, "not_in_ledger": 3}
    rest = {"segments": 3, "positions": dict.fromkeys(["0", "1", "2", "rows"]), "counts": counts}
    capsys.readouterr()

    assert audit(aws, continuation=rest)["not_in_ledger"] == 4

    (line,) = [line for line in capsys.readouterr().out.splitlines() if "AuditCompared" in line]
    assert '"AuditCompared":[9.0]' in line
    assert '"AuditMissing":[1.0]' in line
    assert '"AuditDiffering":[1.0]' in line


def test_what_is_missing_in_the_ledger_is_recorded_and_then_posted(aws: LedgerWorld) -> None:
    accept(aws, *map(payment, range(10)))
    run(aws, "DELETE FROM ledger WHERE payment_id IN ('order-0003', 'order-0007')")

    assert audit(aws, record=True)["recorded"] == 2
    assert aws.function().answer({"operation": "catch-up"}, Context())["posted"] == 2

    assert {name: audit(aws)[name] for name in NONE} == NONE


def test_the_scheduled_call_audits_a_sample(aws: LedgerWorld, capsys: pytest.CaptureFixture[str]) -> None:
    accept(aws, *map(payment, range(10)))
    run(aws, "DELETE FROM ledger WHERE payment_id = 'order-0003'")
    capsys.readouterr()

    aws.function().answer({"operation": "catch-up"}, Context())

    assert '"AuditMissing":[1.0]' in capsys.readouterr().out
