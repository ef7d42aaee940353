"""An order, and how it gets into the journal of both regions."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from common.payment_record import JournalEntry
from common.table_replica import Replica, ReplicaUnavailable

SHOP = "SHOP"
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:/-]{0,63}$")]


class Order(BaseModel):
    """What a customer sends. Money is a decimal string, with two digits behind the point."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]  # the customer's; sending it again orders once
    total: Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,11})\.[0-9]{2}$")]
    currency: Annotated[str, Field(pattern=r"^(EUR|USD)$")]
    customer: _Name

    def content(self) -> dict[str, str]:
        """In the journal's words: an order is a payment of the customer to the shop."""
        return {
            "payment_id": self.id,
            "amount": self.total,
            "currency": self.currency,
            "debtor": self.customer,
            "creditor": SHOP,
        }


class Proof(BaseModel):
    """The synthetic payment by which a failover proves that the region takes, journals and posts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^synthetic-[0-9a-f]{32}$")]
    amount: Annotated[str, Field(pattern=r"^0\.01$")]
    currency: Annotated[str, Field(pattern=r"^EUR$")]
    debtor: _Name
    creditor: _Name
    reference: Annotated[str, Field(max_length=140)] = ""

    def content(self) -> dict[str, str]:
        return {"payment_id": self.id, **self.model_dump(exclude={"id"})}


class OtherContent(Exception):
    """The id was used for something else."""


class NotKept(Exception):
    """The order is not in as many regions as it must be; sending it again completes it."""


def keep(
    given: Order | Proof, replicas: Sequence[Replica], *, region: str, both: bool
) -> tuple[JournalEntry, dict[str, str]]:
    """The entry as it was accepted first, and which region did not keep it, with its reason.

    `replicas` in the order that both regions write them, so that of two orders with one id one gets in. Raises
    OtherContent, and NotKept when the own region is silent, or the other one where `both` must hold it.
    """
    entry = JournalEntry.accept(given.content(), at=datetime.now(UTC), region=region)
    silent: dict[str, str] = {}
    for replica in replicas:
        try:
            stored = replica.add(entry.to_item())
        except ReplicaUnavailable as silence:
            if both or replica.region == region:
                raise NotKept(f"the journal in {replica.region} is silent: {silence.reason}") from None
            silent[replica.region] = silence.reason
            continue
        if stored is not None:
            first = JournalEntry.from_item(stored)
            if first.content_hash != entry.content_hash:
                raise OtherContent(f"{entry.payment_id} was accepted with other content")
            entry = first
    return entry, silent
