"""Rows of the databases against the journals and the clients; who wrote them, and what a promotion lost."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from drill.model.attempts import Intent
from drill.model.status import DatabaseStatus, Row
from drill.observe.journal import Entry
from drill.verdict import reconcile, writers
from drill.verdict.reconcile import Verification
from tests.drill.ledgers import EAST_1, EAST_2, ledger, reported, row


def entry(intent: Intent, **changes: Any) -> Entry:
    content = {name: value for name, value in intent.body.items() if name != "id"}
    return Entry(payment_id=intent.payment_id, content=content, **changes)


def compared(
    intents: list[Intent], east_1: dict[str, Row], east_2: dict[str, Row], *, more: tuple[Entry, ...] = ()
) -> Verification:
    journal = {each.payment_id: each for each in (*map(entry, intents), *more)}
    return reconcile.compare(intents, {EAST_1: journal, EAST_2: dict(journal)}, {EAST_1: east_1, EAST_2: east_2})


def test_payments_with_a_row_on_both_members_are_all_there() -> None:
    intents = reported(20)
    rows = ledger(map(row, intents))

    found = compared(intents, rows, dict(rows))

    assert found.in_ledger_by_region == {EAST_1: 20, EAST_2: 20}
    assert (found.missing_in_ledger, found.ledgers_differ, found.journals_differ, found.duplicated) == ((), (), (), ())


def test_a_row_without_an_event_is_named() -> None:
    intents = reported(2)
    rows = ledger([row(intents[0]), row(intents[1], announced=False)])

    found = compared(intents, rows, dict(rows))

    assert found.unannounced == (f"{intents[1].payment_id} is in the ledger, but no event announces it",)
    assert not found.is_clean


def test_an_amount_is_compared_as_a_number() -> None:
    [intent] = reported(1)
    rows = ledger([row(intent, amount=Decimal(intent.body["amount"] + "00"))])

    assert compared([intent], rows, rows).missing_in_ledger == ()


def test_a_row_that_one_member_lacks_is_missed_there_and_sets_the_members_apart() -> None:
    intents = reported(3)
    rows = ledger(map(row, intents))
    less = {payment_id: each for payment_id, each in rows.items() if payment_id != intents[0].payment_id}

    found = compared(intents, rows, less)

    (sentence,) = found.missing_in_ledger
    assert "was acknowledged, but has no row in the ledger in us-east-2" in sentence
    assert found.ledgers_differ == (f"{intents[0].payment_id} is in us-east-1 only",)
    assert found.in_ledger_by_region == {EAST_1: 3, EAST_2: 2}


@pytest.mark.parametrize("changes", [{"amount": Decimal("0.01")}, {"creditor": "another"}, {"reference": "another"}])
def test_a_row_with_other_content_is_missed(changes: dict[str, Any]) -> None:
    [intent] = reported(1)
    rows = ledger([row(intent, **changes)])

    found = compared([intent], rows, rows)

    assert f"its row in the ledger differs in {next(iter(changes))}" in found.missing_in_ledger[0]


def test_a_payment_in_the_journal_needs_a_row_even_without_a_response_to_its_client() -> None:
    [intent, untold] = reported(2)
    rows = ledger([row(intent)])

    found = compared([intent], rows, rows, more=(entry(untold),))

    assert found.missing_in_ledger == tuple(
        f"{untold.payment_id} is in the journal, but has no row in the ledger in {region}"
        for region in (EAST_1, EAST_2)
    )


def test_one_intent_in_two_rows_is_paid_twice() -> None:
    [intent] = reported(1)
    rows = ledger([row(intent), row(intent, payment_id="another")])

    assert compared([intent], rows, {}).duplicated == (
        f"{intent.reference} was posted 2 times in us-east-1: {', '.join(sorted([intent.payment_id, 'another']))}",
    )


def test_a_journal_that_lacks_an_entry_differs() -> None:
    [intent] = reported(1)
    unheard = replace(intent, acknowledged=None)

    found = reconcile.compare([unheard], {EAST_1: {intent.payment_id: entry(intent)}, EAST_2: {}})

    assert found.journals_differ == (f"{intent.payment_id} is absent in the journal of us-east-2",)
    assert found.lost == ()


def test_other_runs_and_recoveries_own_payments_are_not_this_runs() -> None:
    [ours] = reported(1)
    [other] = reported(1, label="another")
    other = replace(other, payment_id="other")
    proof = Entry(payment_id="synthetic-1", content={"reference": "proof of failover"}, synthetic=True)
    journal = {each.payment_id: each for each in (entry(ours), entry(other), proof)}

    found = reconcile.compare([ours], {EAST_1: journal, EAST_2: journal}, prefix="drill-1-")

    assert (found.unconfirmed, found.synthetic) == (0, 1)


def database(region: str, *intervals: tuple[float, float | None]) -> DatabaseStatus:
    return DatabaseStatus.model_validate(
        {"region": region, "writer_intervals": [{"since": since, "until": until} for since, until in intervals]}
    )


def handed_over(*seconds: float) -> list[Row]:
    """Rows of us-east-1 until the second moment, and of us-east-2 under the next epoch from the third on."""
    marks: list[dict[str, Any]] = [
        {},
        {},
        {"posted_in": EAST_2, "writer_epoch": 1},
        {"posted_in": EAST_2, "writer_epoch": 1},
    ]
    return [row(intent, seconds=at, **mark) for intent, at, mark in zip(reported(4), seconds, marks, strict=True)]


ONE_AFTER_THE_OTHER = (database(EAST_1, (0, 10), (30, None)), database(EAST_2, (20, 30)))


def test_one_writer_after_the_other_is_one_at_a_time() -> None:
    assert writers.two_at_once(handed_over(0, 10, 10, 20), ONE_AFTER_THE_OTHER) == []


def test_rows_that_a_region_posts_after_another_has_begun_are_two_writers() -> None:
    (sentence,) = writers.two_at_once(handed_over(0, 10, 9.9, 20), ())

    assert sentence == (
        "us-east-2 posted under epoch 1 from 03:04:14.900, while us-east-1 posted under epoch 0 until 03:04:15.000"
    )


def test_one_epoch_that_two_regions_post_under_is_two_writers() -> None:
    first, second = reported(2)

    assert writers.two_at_once([row(first), row(second, seconds=1, posted_in=EAST_2)], ()) == [
        "us-east-2 and us-east-1 both posted under epoch 0"
    ]


@pytest.mark.parametrize(
    "databases",
    [
        (database(EAST_1, (0, 10)), database(EAST_2, (9.5, None))),
        (database(EAST_1, (0, None)), database(EAST_2, (20, 30))),
        (database(EAST_1, (0, 40)), database(EAST_2, (10, 20))),
    ],
)
def test_two_databases_that_take_writes_at_one_moment_are_two_writers(databases: tuple[DatabaseStatus, ...]) -> None:
    (sentence,) = writers.two_at_once((), databases)

    assert sentence.startswith("the database in us-east-2 accepted writes from")


def test_what_a_promotion_lost_shows_by_who_posted_it_last() -> None:
    intents = reported(5)
    before = ledger(row(intent, seconds=number) for number, intent in enumerate(intents))
    replayed = [row(intent, seconds=99, posted_in=EAST_2, writer_epoch=1) for intent in intents[3:]]
    after = ledger([*(before[intent.payment_id] for intent in intents[:3]), *replayed])

    found = writers.lost_by_promotion(before, after)
    assert (found.had, found.lost, found.brought_back) == (5, 2, 2)

    del after[intents[4].payment_id]
    found = writers.lost_by_promotion(before, after)
    assert (found.had, found.lost, found.brought_back) == (5, 2, 1)


def test_rows_are_counted_by_epoch_and_region() -> None:
    assert [(each.epoch, each.region, each.rows) for each in writers.spans(handed_over(0, 1, 2, 3))] == [
        (0, EAST_1, 2),
        (1, EAST_2, 2),
    ]
