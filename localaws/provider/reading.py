"""Reads a deployed resource back from AWS: whether it is there, its outputs, and arguments that were changed there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from localaws.provider import execute, mapping, tagging
from localaws.provider.context import Context
from localaws.provider.lookups import LOOKUPS

_TAGS = ("Tags", "tags", "TagList", "TagSet")
_RESERVED = "aws:"


@dataclass(frozen=True)
class Found:
    """A resource as AWS describes it. The context that it was read for holds the outputs."""

    drifted: Mapping[str, Any]
    """The arguments that AWS answers otherwise than they were set, with its values. Compared are tags and single values
    that the answer has under the same name; one that AWS only writes in another form is equal."""


def read(context: Context) -> Found | None:
    """Bring the context's outputs up to date; None for a resource that is gone."""
    if not context.entry.read and context.type not in LOOKUPS:
        return Found({})
    try:
        if context.entry.read:
            context.found = execute.find(context)
        there = attributes(context)
    except ClientError as error:
        if execute.is_gone(error):
            return None
        raise
    if there is None:
        return None
    execute.answer_outputs(context)
    return Found({**_drifted(context, there), **_drifted_tags(context, there)})


def attributes(context: Context) -> dict[str, Any] | None:
    """The resource as AWS describes it, by its entry's reading call (`context.found`) or its lookup; None
    for one that is gone. Raises ClientError."""
    subject = _subject(context.found) if context.entry.read else LOOKUPS[context.type].find(context)
    return None if not subject or _is_deleted(subject) else _attributes(subject)


def _drifted(context: Context, answer: Mapping[str, Any]) -> dict[str, Any]:
    changed = {}
    for key, value in context.inputs.items():
        known = member(key, answer, context.entry.rename)
        if known is None or not isinstance(value, str | int | float | bool):
            continue
        if (found := in_form_of(value, answer[known])) is not None and found != value:
            changed[key] = found
    return changed


def _drifted_tags(context: Context, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The resource's own tags and all of them, if AWS has others; empty where the answer holds no tags.

    Left out are tags that no creating call takes: the emulator's reading calls answer without them.
    """
    given = next((answer[key] for key in _TAGS if key in answer), None)
    if given is None or not (context.entry.tags and context.entry.tags.inline):
        return {}
    every = {key: value for key, value in tagging.read(given).items() if not key.startswith(_RESERVED)}
    if every == context.tags:
        return {}
    own = context.inputs.get("tags") or {}
    defaults = {key: value for key, value in context.tags.items() if key not in own}
    return {"tags": {key: value for key, value in every.items() if defaults.get(key) != value}, "tagsAll": every}


def _is_deleted(attributes: Any) -> bool:
    """Whether AWS still describes a resource that was deleted, as EC2 does for an hour."""
    status = attributes.get("State") or attributes.get("Status") if isinstance(attributes, Mapping) else None
    return (status.get("Code") if isinstance(status, Mapping) else status) == "deleted"


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


def member(key: str, answer: Mapping[str, Any], rename: Mapping[str, str]) -> str | None:
    """The field of an answer that holds an argument."""
    wanted = rename.get(key, key).lower()
    return next((known for known in answer if known.lower() == wanted), None)


def in_form_of(value: Any, found: Any) -> Any:
    """`found` with the type of `value`; None where it has no such form, and `value` itself where both mean the same."""
    if found is None:
        return None
    if isinstance(value, str):
        text = json.dumps(found) if isinstance(found, dict | list) else mapping.as_text(found)
        return value if _same_document(value, text) else text
    if isinstance(value, bool):
        return {"true": True, "false": False}.get(mapping.as_text(found).lower())
    try:
        number = float(found)
    except (TypeError, ValueError):
        return None
    return int(number) if number.is_integer() else number


def _same_document(one: str, other: str) -> bool:
    if one == other or one.rstrip(".").lower() == other.rstrip(".").lower():
        return True
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False
