"""Problem details (RFC 9457): the body of an HTTP answer that reports an error."""

from collections.abc import Sequence
from http import HTTPStatus

from pydantic import BaseModel

MEDIA_TYPE = "application/problem+json"
# An answer holds a payment or the state of one moment; no cache may keep it.
ANSWER_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class FieldError(BaseModel):
    """One thing that is wrong with a request; it repeats names a client sent, never values."""

    field: str
    reason: str


class Problem(BaseModel):
    """Problem details with the errors of single fields as an extension member."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None

    @classmethod
    def of(
        cls, service: str, kind: str, status: HTTPStatus, detail: str, errors: Sequence[FieldError] | None = None
    ) -> "Problem":
        """`kind` is the stable name of the problem within `service`."""
        return cls(
            type=f"urn:problem-type:{service}:{kind}",
            title=kind.replace("-", " ").capitalize(),
            status=status.value,
            detail=detail,
            errors=list(errors) if errors is not None else None,
        )
