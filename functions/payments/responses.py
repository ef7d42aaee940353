"""The HTTP answers of the function: JSON bodies and problem details (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

from common.problem_details import ANSWER_HEADERS, MEDIA_TYPE, FieldError, Problem


def json_answer(
    status: int, body: BaseModel, headers: Mapping[str, str] | None = None, *, content_type: str = "application/json"
) -> Response[str]:
    """An answer with `body`; its fields without a value are left out."""
    return Response(
        status_code=status,
        content_type=content_type,
        headers={**ANSWER_HEADERS, **(headers or {})},
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
    body = Problem.of("payments", kind, status, detail, errors)
    return json_answer(status.value, body, headers, content_type=MEDIA_TYPE)
