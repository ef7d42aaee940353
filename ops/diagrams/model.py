"""A diagram before it is drawn: boxes in titled columns, and arrows between them."""

from dataclasses import dataclass, field
from enum import StrEnum


class Line(StrEnum):
    """What an arrow says."""

    REQUEST = "request"  # clients' requests and what they lead to
    DATA = "data"  # reads and writes
    CONTROL = "control"  # starts, watches, decides
    NEXT = "next"  # a step after another


@dataclass(frozen=True)
class Box:
    key: str
    title: str
    detail: str = ""  # a second, smaller line
    kind: str = "plain"  # how it is drawn: door, compute, data, event, watch, network, outside


@dataclass(frozen=True)
class Arrow:
    source: str
    target: str
    line: Line = Line.REQUEST
    label: str = ""


@dataclass(frozen=True)
class Column:
    title: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Diagram:
    """`notes` say below the picture what it leaves out. With `down`, columns are rows from top to bottom."""

    title: str
    columns: tuple[Column, ...]
    arrows: tuple[Arrow, ...] = field(default_factory=tuple)
    notes: tuple[str, ...] = ()
    down: bool = False

    def boxes(self) -> tuple[Box, ...]:
        return tuple(box for column in self.columns for box in column.boxes)
