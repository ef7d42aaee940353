"""Contents of a ledger row, in a form that can be compared with the journal's entry.

A changed row keeps its `content_hash`, so the columns themselves are read. The amount is compared as a number: 12.5 is
12.50. The reference leaves the database as its SHA-256, which bounds the size of a row in a response: the Data API
returns at most 1 MiB [AURORA-23].
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Self

from common.payment_record import JournalEntry, content_hash

from .database import MYSQL_AMONG_IDS, POSTGRES_AMONG_IDS, TABLE, Database

LIMIT = 1000  # rows of one statement

_POSTGRES = f"""SELECT payment_id, CAST(amount AS text), currency, debtor, creditor,
    encode(sha256(convert_to(reference, 'UTF8')), 'hex'), content_hash, CAST(extract(epoch FROM accepted_at) AS bigint)
    FROM {TABLE}"""
_MYSQL = f"""SELECT payment_id, CAST(amount AS char), currency, debtor, creditor,
    SHA2(reference, 256), content_hash, TIMESTAMPDIFF(SECOND, '1970-01-01', accepted_at)
    FROM {TABLE}"""

# By engine.
_BY_IDS = {
    "aurora-postgresql": f"{_POSTGRES} WHERE {POSTGRES_AMONG_IDS}",
    "aurora-mysql": f"{_MYSQL} {MYSQL_AMONG_IDS}",
}
_AFTER = {
    engine: f"{select} WHERE payment_id > :after ORDER BY payment_id LIMIT "
    for engine, select in (("aurora-postgresql", _POSTGRES), ("aurora-mysql", _MYSQL))
}


@dataclass(frozen=True, kw_only=True)
class Content:
    """The content of a payment: equal in journal and ledger if they agree."""

    amount: Decimal
    currency: str
    debtor: str
    creditor: str
    reference_hash: str
    content_hash: str

    @classmethod
    def of_entry(cls, entry: JournalEntry) -> Self | None:
        """None if the entry contradicts itself: its hash is not that of its content, or its amount is no number."""
        fields = ("payment_id", "amount", "currency", "debtor", "creditor", "reference")
        if content_hash({name: getattr(entry, name) for name in fields}) != entry.content_hash:
            return None
        try:
            amount = Decimal(entry.amount)
        except InvalidOperation:
            return None
        return cls(
            amount=amount,
            currency=entry.currency,
            debtor=entry.debtor,
            creditor=entry.creditor,
            reference_hash=hashlib.sha256(entry.reference.encode()).hexdigest(),
            content_hash=entry.content_hash,
        )


@dataclass(frozen=True, kw_only=True)
class StoredPayment:
    payment_id: str
    content: Content
    accepted_at: datetime  # aware, UTC, to the second


class Contents:
    """Reads rows of the ledger table of `engine`."""

    def __init__(self, database: Database, *, engine: str) -> None:
        self._database = database
        self._by_ids, self._after = _BY_IDS[engine], _AFTER[engine]

    def find(self, payment_ids: Sequence[str]) -> dict[str, StoredPayment]:
        """The rows by payment id of those among at most LIMIT payments that are stored. Raises DatabaseUnavailable."""
        if not payment_ids:
            return {}
        rows = self._database.select(self._by_ids, ids=json.dumps(list(payment_ids)))
        return {payment.payment_id: payment for payment in map(_stored, rows)}

    def page(self, *, after: str, limit: int) -> list[StoredPayment]:
        """The next `limit` (at most LIMIT) rows after a payment id, which need not be stored, in the database's order.
        Raises DatabaseUnavailable."""
        return [_stored(row) for row in self._database.select(f"{self._after}{limit}", after=after)]


def _stored(row: Sequence[dict[str, Any]]) -> StoredPayment:
    texts = [column["stringValue"] for column in row[:7]]
    payment_id, amount, currency, debtor, creditor, reference_hash, stored_hash = texts
    content = Content(
        amount=Decimal(amount),
        currency=currency,
        debtor=debtor,
        creditor=creditor,
        reference_hash=reference_hash,
        content_hash=stored_hash,
    )
    accepted_at = datetime.fromtimestamp(row[7]["longValue"], UTC)
    return StoredPayment(payment_id=payment_id, content=content, accepted_at=accepted_at)
