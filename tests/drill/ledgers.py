"""Rows of a ledger, made by hand."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from drill.load.payments import payments
from drill.model.attempts import Intent
from drill.model.status import Row

BEGIN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EAST_1, EAST_2 = "us-east-1", "us-east-2"


def reported(count: int, *, label: str = "drill") -> list[Intent]:
    """Payments whose clients got a response."""
    intents = list(islice(payments(seed=1, label=label), count))
    for intent in intents:
        intent.acknowledged = 1.0
    return intents


def row(intent: Intent, *, seconds: float = 0.0, **changes: Any) -> Row:
    """As the ledger of us-east-1 posts it `seconds` after the beginning."""
    body = intent.body
    values: dict[str, Any] = {
        "payment_id": intent.payment_id, "amount": Decimal(body["amount"]), "currency": body["currency"],
        "debtor": body["debtor"], "creditor": body["creditor"], "reference": body["reference"],
        "content_hash": "0" * 64, "posted_in": EAST_1, "writer_epoch": 0,
        "posted_at": BEGIN + timedelta(seconds=seconds),
    }  # fmt: skip
    return Row(**(values | changes))


def ledger(rows: Iterable[Row]) -> dict[str, Row]:
    return {each.payment_id: each for each in rows}
