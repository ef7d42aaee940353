"""Registered resources as rows, and how rules look into them.

A row is a registration as `localaws.engine.graph` gives it: stack, urn, type, name, region, inputs (as they go to the
provider, in camel case), options, outputs and provider.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policy.rules.unknown import NotKnownYet, Unknown

Row = Mapping[str, Any]
Rows = Sequence[Row]


@dataclass(frozen=True)
class Found:
    """A value inside a row's inputs, None where nothing is given, and what it stands in: outermost first."""

    value: Any
    within: tuple[Mapping[str, Any], ...]


def of_type(rows: Rows, *tokens: str) -> list[Row]:
    return [row for row in rows if row["type"] in tokens]


def label(row: Row) -> str:
    """How a violation names a resource."""
    return f"{row['stack']}: {row['type']} {row['name']}"


def environment_of(row: Row) -> str:
    """The Pulumi stack's name."""
    return str(row["urn"].split("::")[0].removeprefix("urn:pulumi:"))


def one_of(rows: Iterable[Row], key: str, value: object) -> list[Row]:
    """The rows with this output: `arn`, `id`, `name`."""
    return [row for row in rows if row["outputs"].get(key) == value]


def look(row: Row, path: str) -> list[Found]:
    """Every value at a dotted path of a row's inputs, through lists. A list that is missing or empty has one: None."""
    return list(_look(row["inputs"], path.split("."), ()))


def _look(value: Any, path: Sequence[str], within: tuple[Mapping[str, Any], ...]) -> Iterator[Found]:
    if isinstance(value, list):
        for item in value or [None]:
            yield from _look(item, path, within)
    elif not path:
        yield Found(value, within)
    elif isinstance(value, Mapping):
        yield from _look(value.get(path[0]), path[1:], (*within, value))
    elif isinstance(value, Unknown):
        yield Found(value, within)
    else:
        yield Found(None, within)


def listed(value: Any) -> list[Any]:
    """What IAM and Pulumi write either alone or in a list."""
    return list(value) if isinstance(value, list) else [] if value is None else [value]


def statements(document: Any) -> list[dict[str, Any]]:
    """The statements of a policy document, given as JSON or as a structure; none if it is no such document. Raises
    NotKnownYet of one that a preview cannot show."""
    if isinstance(document, Unknown):
        raise NotKnownYet
    if isinstance(document, str):
        if not document.lstrip().startswith("{"):
            return []
        document = json.loads(document)
    if not isinstance(document, Mapping) or "Statement" not in document:
        return []
    return listed(document["Statement"])
