"""A payment as a client sends it, its validation, and the reasons of a rejection.

Amounts are decimal strings, never numbers, because JSON numbers pass through floating point.
"""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from common.currencies import MINOR_DIGITS
from common.http_messages import FieldError
from common.payment_record import JournalEntry

PAYMENT_ID = r"^[A-Za-z0-9_-]{8,64}$"

Account = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9.:/-]{0,63}$",
        description="an account: 1 to 64 letters, digits, and . : / - after the first",
    ),
]


class Payment(BaseModel):
    """A payment to accept. `amount` is normalized to the minor digits of its currency: 12.5 EUR becomes 12.50 EUR."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    id: Annotated[
        str,
        Field(
            pattern=PAYMENT_ID,
            description="8 to 64 letters, digits, _ or -; the client chooses it, and it is the idempotency key: "
            "sending the same payment again with the same id pays once",
        ),
    ]
    currency: Annotated[
        str, Field(pattern=r"^[A-Z]{3}$", description="a currency of ISO 4217, such as EUR; three capital letters")
    ]
    amount: Annotated[
        str,
        Field(
            pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,3})?$",
            description='a decimal string, such as "12.50": above zero, at most 12 digits before the point and no more '
            "behind it than the currency has",
        ),
    ]
    debtor: Account
    creditor: Account
    reference: Annotated[
        str,
        Field(
            pattern=r"^[^\x00-\x1f\x7f]{1,140}$",
            description="free text for both parties: 1 to 140 characters, no control characters; "
            "leave it out if there is none",
        ),
    ] = ""

    @field_validator("currency")
    @classmethod
    def _is_in_use(cls, currency: str) -> str:
        if currency not in MINOR_DIGITS:
            raise PydanticCustomError("unknown_currency", "unknown currency")
        return currency

    @field_validator("amount")
    @classmethod
    def _is_exact_money(cls, amount: str, info: ValidationInfo) -> str:
        currency = info.data.get("currency")
        if Decimal(amount) == 0:
            raise PydanticCustomError("no_money", "zero amount")
        if currency is None:
            return amount
        digits = MINOR_DIGITS[currency]
        if len(amount.partition(".")[2]) > digits:
            raise PydanticCustomError(
                "too_many_digits",
                "has more digits behind the point than {currency} has: {digits}",
                {"currency": currency, "digits": digits},
            )
        return f"{Decimal(amount):.{digits}f}"

    def content(self) -> dict[str, str]:
        """The fields as the journal names them."""
        return {"payment_id": self.id, **self.model_dump(exclude={"id"})}


class AcceptedPayment(BaseModel):
    """A stored payment, the body of a response. A field without a value is omitted."""

    id: str
    amount: str
    currency: str
    debtor: str
    creditor: str
    reference: str | None = None
    accepted_at: str
    accepted_in: str
    durability: str | None = None

    @classmethod
    def of(cls, entry: JournalEntry, *, durability: str | None = None) -> "AcceptedPayment":
        """The response body for a journal entry."""
        return cls(
            id=entry.payment_id,
            amount=entry.amount,
            currency=entry.currency,
            debtor=entry.debtor,
            creditor=entry.creditor,
            reference=entry.reference or None,
            accepted_at=entry.accepted_at,
            accepted_in=entry.accepted_in,
            durability=durability,
        )


def field_errors(error: ValidationError) -> list[FieldError]:
    """The validation errors of a payment, one per invalid field."""
    return [
        FieldError(field=".".join(str(part) for part in found["loc"]) or "body", reason=_reason(found))
        for found in error.errors(include_url=False, include_input=False)
    ]


def _reason(found: ErrorDetails) -> str:
    name = str(found["loc"][0]) if found["loc"] else ""
    known = Payment.model_fields.get(name)
    match found["type"]:
        case "missing" if known:
            return f"is required: {known.description}"
        case "extra_forbidden":
            return "is not a field of a payment"
        case "too_many_digits":
            return found["msg"]
        case _ if known:
            return f"must be {known.description}"
        case _:
            return found["msg"]
