"""An order, and how it is stored in the journal of both regions."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from common.payment_record import JournalEntry, is_synthetic
from common.table_replica import Replica, ReplicaUnavailable

SHOP = "SHOP"
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:/-]{0,63}$")]


class Order(BaseModel):
    """An order as a customer sends it. `total` is a decimal string with two digits after the point."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]  # chosen by the customer, the idempotency key
    total: Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,11})\.[0-9]{2}$")]
    currency: Annotated[str, Field(pattern=r"^(EUR|USD)$")]
    customer: _Name

    @field_validator("id")
    @classmethod
    def _is_not_reserved(cls, order_id: str) -> str:
        if is_synthetic(order_id):
            raise ValueError("is reserved for the payment that verifies a recovery")
        return order_id

    def content(self) -> dict[str, str]:
        """The fields as the journal names them: an order is a payment of the customer to the shop."""
        return {
            "payment_id": self.id,
            "amount": self.total,
            "currency": self.currency,
            "debtor": self.customer,
            "creditor": SHOP,
        }


class SyntheticPayment(BaseModel):
    """The payment by which a failover verifies that the region accepts, stores and posts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^synthetic-[0-9a-f]{32}$")]
    amount: Annotated[str, Field(pattern=r"^0\.01$")]
    currency: Annotated[str, Field(pattern=r"^EUR$")]
    debtor: _Name
    creditor: _Name
    reference: Annotated[str, Field(max_length=140)] = ""

    def content(self) -> dict[str, str]:
        """The fields as the journal names them."""
        return {"payment_id": self.id, **self.model_dump(exclude={"id"})}


class OrderConflict(Exception):
    """The id was used for other content."""


class OrderUnavailable(Exception):
    """The order is not stored in as many regions as required; sending it again completes it."""


def store(
    order: Order | SyntheticPayment, replicas: Sequence[Replica], *, region: str, both: bool
) -> tuple[JournalEntry, dict[str, str]]:
    """The entry as it was first accepted, and the error by region for each that could not store it.

    `replicas` in the order in which both regions write, so that of two orders with one id only one is accepted. Raises
    OrderConflict, and OrderUnavailable if the own region does not answer, or the other one if `both` are required.
    """
    entry = JournalEntry.accept(order.content(), at=datetime.now(UTC), region=region)
    missing: dict[str, str] = {}
    for replica in replicas:
        try:
            existing = replica.add(entry.to_item())
        except ReplicaUnavailable as error:
            if both or replica.region == region:
                raise OrderUnavailable(f"the journal in {replica.region} does not answer: {error.reason}") from None
            missing[replica.region] = error.reason
            continue
        if existing is not None:
            first = JournalEntry.from_item(existing)
            if first.content_hash != entry.content_hash:
                raise OrderConflict(f"{entry.payment_id} was accepted with other content")
            entry = first
    return entry, missing
