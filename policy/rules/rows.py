"""Rows, one for each registered resource, and queries on them.

A row is a registration as `localaws.engine.graph` returns it: stack, urn, type, name, region, inputs (as sent to the
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
class Occurrence:
    """A value inside a row's inputs, None if it is not set, and the mappings that contain it, outermost first."""

    value: Any
    within: tuple[Mapping[str, Any], ...]


def of_type(rows: Rows, *tokens: str) -> list[Row]:
    return [row for row in rows if row["type"] in tokens]


def label(row: Row) -> str:
    """The resource's name in a violation."""
    return f"{row['stack']}: {row['type']} {row['name']}"


def environment_of(row: Row) -> str:
    """The Pulumi stack's name."""
    return str(row["urn"].split("::")[0].removeprefix("urn:pulumi:"))


def one_of(rows: Iterable[Row], key: str, value: object) -> list[Row]:
    """The rows with this output: `arn`, `id`, `name`."""
    return [row for row in rows if row["outputs"].get(key) == value]


def values_at(row: Row, path: str) -> list[Occurrence]:
    """Every value at a dotted path of a row's inputs, through lists. A missing or empty list yields one None."""
    return list(_values_at(row["inputs"], path.split("."), ()))


def _values_at(value: Any, path: Sequence[str], within: tuple[Mapping[str, Any], ...]) -> Iterator[Occurrence]:
    if isinstance(value, list):
        for item in value or [None]:
            yield from _values_at(item, path, within)
    elif not path:
        yield Occurrence(value, within)
    elif isinstance(value, Mapping):
        yield from _values_at(value.get(path[0]), path[1:], (*within, value))
    elif isinstance(value, Unknown):
        yield Occurrence(value, within)
    else:
        yield Occurrence(None, within)


def listed(value: Any) -> list[Any]:
    """A value that IAM and Pulumi write either alone or in a list, as a list."""
    return list(value) if isinstance(value, list) else [] if value is None else [value]


def statements(document: Any) -> list[dict[str, Any]]:
    """The statements of a policy document, given as JSON or as a structure; none for any other value.

    Raises NotKnownYet for a document that is unknown in a preview.
    """
    if isinstance(document, Unknown):
        raise NotKnownYet
    if isinstance(document, str):
        if not document.lstrip().startswith("{"):
            return []
        document = json.loads(document)
    if not isinstance(document, Mapping) or "Statement" not in document:
        return []
    return listed(document["Statement"])


def known_statements(document: Any) -> list[dict[str, Any]]:
    """The same, and none for a document that is unknown in a preview: the update passes it again."""
    return [] if isinstance(document, Unknown) else statements(document)
