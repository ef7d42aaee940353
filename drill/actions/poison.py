"""Entries in the payment journal that no ledger can post, and the dead letters that report them."""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from drill.model.context import Change, DrillContext
from drill.observe.aws import changing, observing
from shared.deployment import Deployment
from shared.places import Place

PREFIX = "poison-"
"""Of the payment ids that are made here, so that they are not taken for a client's."""
_RECEIVES = 20


@dataclass(frozen=True)
class Poison:
    """Put two entries into the journal: one that is no payment, and one that the database refuses."""

    place: Place = Place.PRIMARY

    name: ClassVar[str] = "put entries into the journal that cannot be posted"

    @property
    def rollback(self) -> Change:
        return RemovePoison(self.place)

    async def do(self, ctx: DrillContext) -> str:
        await asyncio.to_thread(self._put, ctx)
        return ", ".join(item["pk"]["S"] for item in entries(ctx.region(self.place)))

    def _put(self, ctx: DrillContext) -> None:
        client = ctx.client("dynamodb", self.place)
        with changing(f"the entry could not be put into the journal in {ctx.region(self.place)}"):
            for item in entries(ctx.region(self.place)):
                client.put_item(TableName=ctx.deployment.global_outputs.journal_table, Item=item)


@dataclass(frozen=True)
class RemovePoison:
    """Delete the entries. Their dead letters stay."""

    place: Place = Place.PRIMARY

    name: ClassVar[str] = "delete the entries that cannot be posted from the journal"
    rollback: ClassVar[None] = None

    async def do(self, ctx: DrillContext) -> str:
        await asyncio.to_thread(self._delete, ctx)
        return ""

    def _delete(self, ctx: DrillContext) -> None:
        client = ctx.client("dynamodb", self.place)
        for item in entries(ctx.region(self.place)):
            with changing(f"{item['pk']['S']} could not be deleted"):
                client.delete_item(TableName=ctx.deployment.global_outputs.journal_table, Key={"pk": item["pk"]})


def entries(region: str) -> list[dict[str, Any]]:
    """The items. The second one is a payment in every respect, but its amount violates a constraint of the ledger."""
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


def read_poison(deployment: Deployment, place: Place) -> dict[str, str]:
    """The drill's own entries among a region's dead letters, with the reason why each was refused. Messages stay in the
    queue, hidden for a moment from other readers. Raises ProbeError."""
    client, found = deployment.client("sqs", place), {}
    with observing(f"the dead letters in {deployment.region(place)} cannot be read"):
        for _ in range(_RECEIVES):
            received = client.receive_message(
                QueueUrl=deployment.cell(place).messaging.dead_letter_url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=5,
                WaitTimeSeconds=0,
            ).get("Messages", [])
            if not received:
                break
            for letter in (_letter(message["Body"]) for message in received):
                if str(letter.get("payment_id", "")).startswith(PREFIX):
                    found[str(letter["payment_id"])] = str(letter.get("reason", ""))
    return found


def _letter(body: str) -> dict[str, Any]:
    """Other senders' messages may be anything."""
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
