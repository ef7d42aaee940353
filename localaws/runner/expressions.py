"""Texts with {expressions}, as the table uses them: evaluated over a resource's values, and scanned for arguments."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jmespath

from localaws.runner.table import KeyValues, Maybe

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_ARGUMENT = re.compile(r"\bin((?:\.\w+|\[[^\]]*\])+)")


def evaluate(value: Any, names: Mapping[str, Any]) -> Any:
    """`value` with every expression replaced; None where one of a text's expressions has no value."""
    if isinstance(value, str):
        return _text(value, names)
    if isinstance(value, KeyValues):
        pairs = {key: _text(text, names) for key, text in value.values.items()}
        return [{"Key": key, "Value": as_text(found)} for key, found in pairs.items() if found is not None] or None
    if isinstance(value, dict):
        found = {key: evaluate(item, names) for key, item in value.items()}
        return {key: item for key, item in found.items() if item is not None} or None
    if isinstance(value, list):
        return [item for item in (evaluate(item, names) for item in value) if item is not None] or None
    if callable(value):
        return value(names["context"])
    return value


def search(expression: str, names: Mapping[str, Any]) -> Any:
    return jmespath.search(expression, {key: item for key, item in names.items() if key != "context"})


def as_text(value: Any) -> str:
    """A value as AWS writes it inside a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def arguments(value: Any) -> Iterator[str]:
    """The argument paths (`healthCheck.path`, without list positions) that `value` consumes."""
    if isinstance(value, str):
        for expression in _PLACEHOLDER.findall(value):
            yield from paths(expression)
    elif isinstance(value, KeyValues):
        yield from arguments(list(value.values.values()))
    elif isinstance(value, Maybe):
        yield from arguments(value.value)
    elif isinstance(value, dict):
        yield from arguments(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from arguments(item)


def paths(expression: str) -> Iterator[str]:
    """The argument paths in one bare expression."""
    for found in _ARGUMENT.findall(expression):
        yield re.sub(r"\[[^\]]*\]", "", found).strip(".")


def mentions(value: Any, name: str) -> bool:
    """Whether a text uses `name` (such as `made`)."""
    pattern = re.compile(rf"\b{name}\b")
    return isinstance(value, str) and any(pattern.search(found) for found in _PLACEHOLDER.findall(value))


def _text(value: str, names: Mapping[str, Any]) -> Any:
    whole = _PLACEHOLDER.fullmatch(value)
    if whole:
        return search(whole[1], names)
    found = {expression: search(expression, names) for expression in _PLACEHOLDER.findall(value)}
    if any(item is None for item in found.values()):
        return None
    return _PLACEHOLDER.sub(lambda match: as_text(found[match[1]]), value)
