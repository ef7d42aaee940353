"""HTTP responses of the function: JSON bodies and problem details (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

from common.http_messages import PROBLEM_MEDIA_TYPE, RESPONSE_HEADERS, FieldError, Problem


def json_response(
    status: int, body: BaseModel, headers: Mapping[str, str] | None = None, *, content_type: str = "application/json"
) -> Response[str]:
    """A response with `body`; fields without a value are omitted."""
    return Response(
        status_code=status,
        content_type=content_type,
        headers={**RESPONSE_HEADERS, **(headers or {})},
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
    """An error response; `kind` is the stable name of the problem."""
    body = Problem.of("payments", kind, status, detail, errors)
    return json_response(status.value, body, headers, content_type=PROBLEM_MEDIA_TYPE)
