"""Entries in the journal that no ledger can post, and the way to be rid of them again."""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from drill.model.change import Change, Surroundings
from drill.model.errors import ActionError, ProbeError
from drill.model.target import Site
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


# What people are told of entries that cannot be posted: the messages that wait in a region's queue.


_RECEIVES = 20


def read_poison(site: Site, place: Place) -> dict[str, str]:
    """The drill's own entries among the messages, with the reason each was refused for. Messages stay in the queue,
    hidden for a moment from other readers. Raises ProbeError."""
    client, found = site.client("sqs", place), {}
    try:
        for _ in range(_RECEIVES):
            received = client.receive_message(
                QueueUrl=site.dead_letters[place], MaxNumberOfMessages=10, VisibilityTimeout=5, WaitTimeSeconds=0
            ).get("Messages", [])
            if not received:
                break
            for said in (_said(message["Body"]) for message in received):
                if str(said.get("payment_id", "")).startswith(PREFIX):
                    found[str(said["payment_id"])] = str(said.get("reason", ""))
    except (BotoCoreError, ClientError) as error:
        raise ProbeError(f"the dead letters in {site.region(place)} cannot be read: {error}") from error
    return found


def _said(body: str) -> dict[str, Any]:
    """Other senders' messages may be anything."""
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
