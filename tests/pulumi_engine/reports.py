"""Counts by stack and changed resources, read from the engine's plain output."""

import re
from dataclasses import dataclass

from shared.places import PROJECTS

_LINE = re.compile(r"\[(primary|secondary|global)\] ?(.*)")
_COUNTED = re.compile(r" {4}(?:[+~-]+ ?)?\d+ .*")
_COUNT = re.compile(r"(\d+) (?:to )?(create|update|delete|replace|unchanged)d?(?![-\w])")
_ROW = re.compile(r"\s+(\+\+|\+-|--|[+~-])\s+(\S+:\S+)\s+(\S+)\s+(\D+?)(?: \([\d.]+s\))?(?: \[diff: (.*)\])?\s*")


def counts(output: str) -> dict[str, dict[str, int]]:
    """The engine's counts by stack, such as {"primary": {"create": 206}}: of its last run, where it ran twice."""
    found: dict[str, dict[str, int]] = {}
    for stack, text in _lines(output):
        if text.startswith("Resources:"):
            found[stack] = {}
        elif stack in found and _COUNTED.fullmatch(text):
            found[stack] |= {kind: int(count) for count, kind in _COUNT.findall(text)}
    return found


def kinds(output: str) -> dict[str, set[str]]:
    """The kinds of operation by stack, without counts."""
    return {stack: {*found} for stack, found in counts(output).items()}


def all_with(kind: str) -> dict[str, set[str]]:
    """The value of `kinds` when there is only one kind, in all stacks."""
    return {stack: {kind} for stack in PROJECTS}


@dataclass(frozen=True)
class Row:
    """A line about one resource: `kind` as the engine shortens it, such as aws:sqs:Queue; `diff` such as "~tags"."""

    stack: str
    kind: str
    name: str
    what: str
    diff: str


def rows(output: str) -> list[Row]:
    """The engine's operations on single resources, done or planned, in the order of its lines."""
    found = []
    for stack, text in _lines(output):
        if row := _ROW.fullmatch(text):
            found.append(Row(stack, row[2], row[3], row[4].strip(), row[5] or ""))
    return found


def changes(output: str) -> dict[str, str]:
    """The resources that are not only listed, as "stack/kind/name", with the difference."""
    return {f"{row.stack}/{row.kind}/{row.name}": row.diff for row in rows(output) if row.diff}


def _lines(output: str) -> list[tuple[str, str]]:
    return [(line[1], line[2]) for each in output.splitlines() if (line := _LINE.fullmatch(each))]
