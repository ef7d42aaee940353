"""Reads a deployed resource back from AWS: whether it is there, its outputs, and arguments that were changed there."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from localaws.provider import execute, mapping
from localaws.provider.context import Context


def read(context: Context) -> bool:
    """Bring the context's outputs up to date; False for a resource that is gone."""
    try:
        context.found = execute.find(context)
        if context.entry.read and not _subject(context.found):
            return False
        execute.answer_outputs(context)
    except ClientError as error:
        if execute.is_gone(error):
            return False
        raise
    return True


def drifted(context: Context) -> dict[str, Any]:
    """The arguments that AWS answers otherwise than they were set, with the values that AWS has.

    Compared are those that the answer has under the same name; a value that AWS only writes in another form is equal.
    """
    answer = _attributes(_subject(context.found))
    changed = {}
    for key, value in context.inputs.items():
        known = _member(key, answer, context.entry.rename)
        if known is None or not isinstance(value, str | int | float | bool):
            continue
        if (found := _in_form_of(value, answer[known])) is not None and found != value:
            changed[key] = found
    return changed


def _subject(found: Any) -> Any:
    """The one resource in an answer: what is left when the envelopes around it are taken off."""
    while True:
        if isinstance(found, list) and len(found) == 1:
            found = found[0]
        elif isinstance(found, Mapping):
            inner = [value for key, value in found.items() if key not in ("ResponseMetadata", "Tags")]
            if len(inner) != 1 or not isinstance(inner[0], list | Mapping):
                return found
            found = inner[0]
        else:
            return found


def _attributes(subject: Any) -> dict[str, Any]:
    """The attributes in an answer; of one with several parts, such as a function's configuration and code, of all."""
    if not isinstance(subject, Mapping):
        return {}
    if "ResponseMetadata" not in subject:
        return dict(subject)
    inner = [value for value in subject.values() if isinstance(value, Mapping)]
    return {key: value for each in (*inner, subject) for key, value in each.items()}


def _member(key: str, answer: Mapping[str, Any], rename: Mapping[str, str]) -> str | None:
    wanted = rename.get(key, key).lower()
    return next((known for known in answer if known.lower() == wanted), None)


def _in_form_of(value: Any, found: Any) -> Any:
    """`found` with the type of `value`; None where it has no such form, and `value` itself where both mean the same."""
    if isinstance(found, dict | list) or found is None:
        return None
    if isinstance(value, bool) or isinstance(found, bool):
        return found if isinstance(value, bool) and isinstance(found, bool) else None
    if isinstance(value, str):
        text = mapping.as_text(found)
        return value if _same_document(value, text) else text
    return found if isinstance(found, int | float) else None


def _same_document(one: str, other: str) -> bool:
    if one == other or one.rstrip(".").lower() == other.rstrip(".").lower():
        return True
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False
