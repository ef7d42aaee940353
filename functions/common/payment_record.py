"""A payment as an item of the journal, the DynamoDB global table; identical in both regions.

Written by `payments`, read by every function that consumes the table's stream.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

from .table_replica import KEY, Item

KIND = "payment"
_KEY_PREFIX = "payment#"
SYNTHETIC = "synthetic-"
"""Prefix of the ids of payments that verify a recovery. `payments` rejects such an id from clients."""
_MARK = "synthetic"


class JournalItemError(ValueError):
    """A journal item is not a valid payment; the message names the attribute, never its value."""


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """An accepted payment. Two entries are the same payment if their `content_hash` is equal."""

    payment_id: str
    amount: str  # decimal, with exactly the currency's minor digits
    currency: str  # ISO 4217
    debtor: str
    creditor: str
    reference: str  # empty if the client sent none
    content_hash: str
    accepted_at: str  # ISO 8601 in UTC with microseconds
    accepted_in: str  # region

    @classmethod
    def accept(cls, content: Mapping[str, str], *, at: datetime, region: str) -> Self:
        """The entry of a payment that `region` accepts at `at` (aware datetime); `content` holds all fields but the
        last three."""
        full = {"reference": "", **content}
        moment = at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        return cls(**full, content_hash=content_hash(full), accepted_at=moment, accepted_in=region)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """The entry in a DynamoDB item or stream image. Raises JournalItemError."""
        if _text(item, "kind") != KIND:
            raise JournalItemError("attribute kind of the item is not that of a payment")
        return cls(
            payment_id=_text(item, KEY).removeprefix(_KEY_PREFIX),
            amount=_text(item, "amount"),
            currency=_text(item, "currency"),
            debtor=_text(item, "debtor"),
            creditor=_text(item, "creditor"),
            reference=_text(item, "reference") if "reference" in item else "",
            content_hash=_text(item, "content_hash"),
            accepted_at=_text(item, "accepted_at"),
            accepted_in=_text(item, "accepted_in"),
        )

    def to_item(self) -> Item:
        """The DynamoDB item; an empty reference is omitted, and a synthetic payment is marked."""
        fields = asdict(self)
        del fields["payment_id"]
        if not self.reference:
            del fields["reference"]
        item: Item = {name: {"S": value} for name, value in fields.items()}
        if is_synthetic(self.payment_id):
            item[_MARK] = {"BOOL": True}  # for every reader of the journal
        return {KEY: {"S": payment_key(self.payment_id)}, "kind": {"S": KIND}, **item}


def is_synthetic(payment_id: str) -> bool:
    """Whether a payment was made to verify a recovery, and not by a client."""
    return payment_id.startswith(SYNTHETIC)


def payment_key(payment_id: str) -> str:
    """The partition key of a payment's item."""
    return _KEY_PREFIX + payment_id


def content_hash(content: Mapping[str, str]) -> str:
    """The SHA-256 of the content's canonical form, in hexadecimal.

    Canonical: JSON in UTF-8 with sorted names, without white space and empty values; for objects of strings with ASCII
    names this is the form of RFC 8785.
    """
    filled = {name: value for name, value in content.items() if value}
    canonical = json.dumps(filled, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name, {}).get("S")
    if not isinstance(value, str):
        raise JournalItemError(f"attribute {name} of the item is missing or not text")
    return value
