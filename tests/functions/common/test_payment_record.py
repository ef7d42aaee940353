"""The journal's item and the hash of its content."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.payment_record import JournalEntry, JournalItemError, content_hash

FIELDS = ("payment_id", "amount", "currency", "debtor", "creditor", "reference")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
CONTENT = st.fixed_dictionaries(dict.fromkeys(FIELDS[:-1], TEXT), optional={"reference": TEXT})
NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


@given(content=CONTENT, data=st.data())
def test_the_order_of_fields_and_an_empty_reference_do_not_change_the_hash(
    content: dict[str, str], data: st.DataObject
) -> None:
    shuffled = dict(data.draw(st.permutations(list(content.items()))))

    assert content_hash({"reference": "", **shuffled}) == content_hash(content)


@given(first=CONTENT, second=CONTENT, moved=st.sampled_from(FIELDS[:-1]))
def test_other_content_has_another_hash(first: dict[str, str], second: dict[str, str], moved: str) -> None:
    assert (content_hash(first) == content_hash(second)) == (first == second)
    changed = {**first, moved: first[moved] + '","'}  # what would join neighbours in a careless form
    assert content_hash(changed) != content_hash(first)


def test_the_hash_is_that_of_the_canonical_json() -> None:
    canonical = (
        '{"amount":"1.00","creditor":"FR1","currency":"EUR","debtor":"DE1","payment_id":"order-1","reference":"Grün"}'
    )
    content = {
        "reference": "Grün",
        "payment_id": "order-1",
        "amount": "1.00",
        "currency": "EUR",
        "debtor": "DE1",
        "creditor": "FR1",
    }

    assert content_hash(content) == hashlib.sha256(canonical.encode()).hexdigest()


@given(content=CONTENT)
def test_an_entry_comes_back_from_its_item(content: dict[str, str]) -> None:
    entry = JournalEntry.accept(content, at=NOW, region="us-east-1")

    item = entry.to_item()

    assert JournalEntry.from_item(item) == entry
    assert item["pk"] == {"S": f"payment#{content['payment_id']}"}
    assert item["kind"] == {"S": "payment"}
    assert ("reference" in item) == ("reference" in content)


def test_the_time_of_acceptance_is_in_utc_with_microseconds() -> None:
    content = dict.fromkeys(FIELDS, "x")
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5)))

    assert JournalEntry.accept(content, at=elsewhere, region="r").accepted_at == "2026-01-02T03:04:05.000006Z"
    assert JournalEntry.accept(content, at=NOW.replace(microsecond=0), region="r").accepted_at.endswith(":05.000000Z")


@pytest.mark.parametrize(
    ("change", "name"),
    [({"amount": None}, "amount"), ({"debtor": {"N": "1"}}, "debtor"), ({"kind": {"S": "region"}}, "kind")],
)
def test_an_item_that_is_no_payment_is_named_by_its_attribute(change: dict[str, Any], name: str) -> None:
    item = {**JournalEntry.accept(dict.fromkeys(FIELDS, "secret"), at=NOW, region="r").to_item(), **change}
    item = {key: value for key, value in item.items() if value is not None}

    with pytest.raises(JournalItemError, match=name) as problem:
        JournalEntry.from_item(item)
    assert "secret" not in str(problem.value)
