"""Pulumi's arguments in the form that an AWS operation takes, by rule.

Names match without regard to case, and types follow: a text becomes a number or true/false where the operation takes
one, and the other way round; a single value becomes a list of one; a document becomes JSON where a text is wanted.
A name the operation does not know is an error.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jmespath
import pulumi

from localaws.core import archives
from localaws.core.errors import TableError
from localaws.provider.table import KeyValues, Maybe

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
    """The argument paths in one expression."""
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


_INTEGERS = {"integer", "long"}
_NUMBERS = {"float", "double"}


def conform(value: Any, shape: Any, rename: Mapping[str, str], folder: Path, path: str = "") -> Any:
    """`value` in the form of the botocore `shape`. Raises TableError naming the argument that does not fit."""
    kind = shape.type_name
    if kind == "structure":
        return _structure(value, shape, rename, folder, path)
    if kind == "list":
        items = value if isinstance(value, list) else [value]
        return [conform(item, shape.member, rename, folder, path) for item in items]
    if kind == "map":
        return {str(key): conform(item, shape.value, rename, folder, path) for key, item in value.items()}
    if kind == "string":
        return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else as_text(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else _boolean(value, path)
    if kind in _INTEGERS | _NUMBERS:
        return _number(value, kind, path)
    if kind == "blob":
        return _blob(value, folder)
    return value


def member(name: str, shape: Any, rename: Mapping[str, str]) -> str | None:
    """The operation's own spelling of the argument `name`."""
    if name in shape.members:
        return name
    wanted = rename.get(name, name).lower()
    return next((known for known in shape.members if known.lower() == wanted), None)


def _structure(value: Any, shape: Any, rename: Mapping[str, str], folder: Path, path: str) -> dict[str, Any]:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise TableError(f"{path or shape.name} is {type(value).__name__}; {shape.name} has fields")
    fitted = {}
    for name, item in value.items():
        inner = f"{path}.{name}" if path else name
        known = member(name, shape, rename)
        if known is None:
            raise TableError(f"no call takes {inner} ({shape.name} does not know it)")
        fitted[known] = conform(item, shape.members[known], rename, folder, inner)
    return fitted


def _boolean(value: Any, path: str) -> bool:
    text = as_text(value).lower()
    if text not in ("true", "false"):
        raise TableError(f"{path} must be true or false")
    return text == "true"


def _number(value: Any, kind: str, path: str) -> int | float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise TableError(f"{path} must be a number") from error
    if kind in _NUMBERS:
        return number
    if not number.is_integer():
        raise TableError(f"{path} must be a whole number")
    return int(number)


def _blob(value: Any, folder: Path) -> bytes:
    if isinstance(value, pulumi.Archive):
        return archives.pack(value, folder)
    if isinstance(value, pulumi.Asset):
        return archives.content(value, folder)
    return value if isinstance(value, bytes) else as_text(value).encode()
