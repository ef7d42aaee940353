"""Policy documents, read as a security reviewer would."""

import json
from typing import Any

from tests.recorder import Built


def statements(built: Built, kind: str, name: str | None = None) -> list[dict[str, Any]]:
    """The statements of a resource's policy."""
    found: list[dict[str, Any]] = json.loads(built.one(kind, name).inputs["policy"])["Statement"]
    return found


def allowed_to(service: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The actions that a resource policy allows an AWS service."""
    return [each for each in found if each["Effect"] == "Allow" and each["Principal"] == {"Service": service}]


def refuses_plain_http(found: list[dict[str, Any]], action: str) -> bool:
    return any(
        each["Effect"] == "Deny"
        and each["Principal"] == "*"
        and each["Action"] == action
        and each["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for each in found
    )
