"""Entries in the journal that no ledger can post, and the way to be rid of them again."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from drill.actions import Change, Surroundings
from drill.faults import ActionError
from shared.places import Place

PREFIX = "poison-"
"""Of the payment ids that are made here, so that nobody takes them for a client's."""


@dataclass(frozen=True)
class Poison:
    """Put two entries into the journal: one that is no payment, and one that the database refuses."""

    place: Place = Place.PRIMARY

    @property
    def name(self) -> str:
        return "put entries into the journal that cannot be posted"

    @property
    def undo(self) -> Change:
        return RemovePoison(self.place)

    async def do(self, around: Surroundings) -> str:
        await asyncio.to_thread(self._put, around)
        return ", ".join(item["pk"]["S"] for item in entries(around.region(self.place)))

    def _put(self, around: Surroundings) -> None:
        client = around.site.client("dynamodb", self.place)
        for item in entries(around.region(self.place)):
            try:
                client.put_item(TableName=around.site.journal_table, Item=item)
            except (BotoCoreError, ClientError) as error:
                raise ActionError(f"the journal in {around.region(self.place)} took no entry: {error}") from error


@dataclass(frozen=True)
class RemovePoison:
    """Take the entries away again. Their messages stay: what people are told is not taken back."""

    place: Place = Place.PRIMARY

    @property
    def name(self) -> str:
        return "take the entries that cannot be posted out of the journal"

    @property
    def undo(self) -> None:
        return None

    async def do(self, around: Surroundings) -> str:
        await asyncio.to_thread(self._delete, around)
        return ""

    def _delete(self, around: Surroundings) -> None:
        client = around.site.client("dynamodb", self.place)
        for item in entries(around.region(self.place)):
            try:
                client.delete_item(TableName=around.site.journal_table, Key={"pk": item["pk"]})
            except (BotoCoreError, ClientError) as error:
                raise ActionError(f"{item['pk']['S']} could not be taken away: {error}") from error


def entries(region: str) -> list[dict[str, Any]]:
    """The items. The second one is a payment in every respect, but its amount breaks the ledger's own rule."""
    moment = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    whole = {
        "kind": "payment",
        "amount": "-1.00",
        "currency": "EUR",
        "debtor": "POISON-DEBTOR",
        "creditor": "POISON-CREDITOR",
        "content_hash": hashlib.sha256(b"poison").hexdigest(),
        "accepted_at": moment,
        "accepted_in": region,
    }
    lacking = {name: text for name, text in whole.items() if name not in ("amount", "creditor")}
    return [
        {"pk": {"S": f"payment#{PREFIX}{what}"}} | {name: {"S": text} for name, text in content.items()}
        for what, content in (("lacking", lacking), ("refused", whole))
    ]
