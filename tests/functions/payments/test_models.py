"""Payments that are accepted, and the reasons for rejecting the others."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payments.models import Payment, field_errors
from pydantic import ValidationError

from common.currencies import MINOR_DIGITS
from tests.functions.harness import payment


def parse(**changed: Any) -> Payment:
    return Payment.model_validate_json(json.dumps(payment(**changed)))


def errors(**changed: Any) -> dict[str, str]:
    with pytest.raises(ValidationError) as refused:
        parse(**changed)
    return {error.field: error.reason for error in field_errors(refused.value)}


@pytest.mark.parametrize(
    ("amount", "currency", "exact"),
    [
        ("12.5", "EUR", "12.50"),
        ("12", "EUR", "12.00"),
        ("0.01", "EUR", "0.01"),
        ("1200", "JPY", "1200"),
        ("1.5", "KWD", "1.500"),
        ("999999999999.99", "USD", "999999999999.99"),
    ],
)
def test_an_amount_gets_the_minor_digits_of_its_currency(amount: str, currency: str, exact: str) -> None:
    assert parse(amount=amount, currency=currency).amount == exact


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        (12.5, "EUR"),
        (12, "EUR"),
        ("12.505", "EUR"),
        ("12.5", "JPY"),
        ("0", "EUR"),
        ("0.00", "EUR"),
        ("-1", "EUR"),
        ("+1", "EUR"),
        ("01", "EUR"),
        ("1.", "EUR"),
        (".5", "EUR"),
        ("1e3", "EUR"),
        ("1,50", "EUR"),
        (" 1", "EUR"),
        ("1\n", "EUR"),
        ("\N{ARABIC-INDIC DIGIT ONE}", "EUR"),
        ("NaN", "EUR"),
        ("1000000000000", "EUR"),
        (True, "EUR"),
    ],
)
def test_what_is_not_exact_money_is_refused(amount: Any, currency: str) -> None:
    assert errors(amount=amount, currency=currency).keys() == {"amount"}


@given(minor_units=st.integers(1, 10**11), currency=st.sampled_from(sorted(MINOR_DIGITS)))
def test_no_money_is_gained_or_lost(minor_units: int, currency: str) -> None:
    exact = Decimal(minor_units).scaleb(-MINOR_DIGITS[currency])

    assert Decimal(parse(amount=f"{exact:f}", currency=currency).amount) == exact


@pytest.mark.parametrize("currency", ["eur", "EURO", "EU", "XXX", "XAU", "ZZZ", "", 978, "BGN"])
def test_an_unknown_currency_is_refused_alone(currency: Any) -> None:
    assert errors(currency=currency).keys() == {"currency"}


@pytest.mark.parametrize("field", ["id", "amount", "currency", "debtor", "creditor"])
def test_a_missing_field_is_required(field: str) -> None:
    assert errors(**{field: None})[field].startswith("is required")


def test_a_reference_may_be_missing_but_not_empty_or_null() -> None:
    assert parse(reference=None).reference == ""
    assert errors(reference="").keys() == {"reference"}
    with pytest.raises(ValidationError):
        Payment.model_validate_json(json.dumps({**payment(), "reference": None}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "short"),
        ("id", "a" * 65),
        ("id", "order#0001"),
        ("id", "order-0001\n"),
        ("id", 12345678),
        ("debtor", ""),
        ("debtor", "-starts-wrong"),
        ("creditor", "a" * 65),
        ("creditor", ["DE1"]),
        ("reference", "two\nlines"),
        ("reference", "x" * 141),
    ],
)
def test_a_malformed_field_is_refused_without_repeating_it(field: str, value: Any) -> None:
    found = errors(**{field: value})

    assert found.keys() == {field}
    assert found[field].startswith("must be ")


def test_neither_a_reason_nor_the_error_repeats_what_was_sent() -> None:
    with pytest.raises(ValidationError) as refused:
        parse(debtor="secret account", reference="secret\n", amount="secret")

    assert "secret" not in str(refused.value)
    assert "secret" not in str(field_errors(refused.value))
