"""The HTTP answers of the function: JSON bodies and problem details (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

from .models import FieldError

# An answer holds a payment or says how this moment is; no one on the way may keep it.
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Problem(BaseModel):
    """Problem details: the body of every answer that is not what was asked for, except of `/health`."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None


def json_answer(
    status: int, body: BaseModel, headers: Mapping[str, str] | None = None, *, content_type: str = "application/json"
) -> Response[str]:
    """An answer with `body`; its fields without a value are left out."""
    return Response(
        status_code=status,
        content_type=content_type,
        headers={**_HEADERS, **(headers or {})},
        body=body.model_dump_json(exclude_none=True),
    )


def problem(
    status: HTTPStatus,
    kind: str,
    detail: str,
    *,
    errors: Sequence[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[str]:
    """An answer that says what went wrong; `kind` is the stable name of the problem."""
    body = Problem(
        type=f"urn:problem-type:payments:{kind}",
        title=kind.replace("-", " ").capitalize(),
        status=status.value,
        detail=detail,
        errors=list(errors) if errors is not None else None,
    )
    return json_answer(status.value, body, headers, content_type="application/problem+json")
