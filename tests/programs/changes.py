"""Faults put into a registered graph, for rules to find."""

import copy
from collections.abc import Callable
from typing import Any

from policy.rules.rows import Row, Rows

Change = Callable[[dict[str, Any]], None]


def changed(rows: Rows, token: str, name: str, change: Change) -> list[Row]:
    """The rows, with `change` made to a copy of the one of this type and name, in whichever stack comes first."""
    found = next(row for row in rows if (row["type"], row["name"]) == (token, name))
    other = copy.deepcopy(dict(found))
    change(other)
    return [other if row is found else row for row in rows]


def giving(*path: str, value: Any) -> Change:
    """Gives an input, along keys and through the first item of lists."""

    def change(row: dict[str, Any]) -> None:
        _inside(row, path)[path[-1]] = value

    return change


def without(*path: str) -> Change:
    """Takes an input away."""

    def change(row: dict[str, Any]) -> None:
        del _inside(row, path)[path[-1]]

    return change


def added(rows: Rows, token: str, name: str, **inputs: Any) -> list[Row]:
    """The rows and one more of any type, registered where the first of all resources is."""
    pattern = next(row for row in rows if row["type"].startswith("aws:"))
    changes = {"type": token, "name": name, "urn": f"urn:pulumi:test::dr-primary::{token}::{name}"}
    return [*rows, {**pattern, **changes, "inputs": inputs, "outputs": inputs}]


def _inside(row: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    inside: dict[str, Any] = row["inputs"]
    for key in path[:-1]:
        inside = inside[key][0] if isinstance(inside[key], list) else inside[key]
    return inside
