"""Places the boxes of a diagram: each column's in an order in which few arrows cross, and the ways the arrows take.

An arrow that passes columns gets a gap in each, so that it never runs behind a box. Everything is decided by the
diagram alone; equal diagrams are placed alike.
"""

from dataclasses import dataclass, field
from itertools import pairwise

from ops.diagrams.model import Arrow, Diagram

WIDTH, HEIGHT, GAP, LANE = 176, 46, 18, 12
_BETWEEN = {False: 92, True: 40}  # columns, rows
_SWEEPS = 12


@dataclass
class Slot:
    """A place in a column, of a box or of an arrow that passes. `start` and `size` run along the column."""

    key: str
    column: int
    size: int
    start: float = 0.0
    before: list["Slot"] = field(default_factory=list, repr=False)
    beside: list["Slot"] = field(default_factory=list, repr=False)
    after: list["Slot"] = field(default_factory=list, repr=False)

    @property
    def middle(self) -> float:
        return self.start + self.size / 2


@dataclass(frozen=True)
class Placed:
    columns: list[list[Slot]]
    ways: list[tuple[Arrow, list[Slot]]]
    length: float  # of the longest column
    thickness: int  # of a column
    between: int  # columns

    def edge(self, column: int) -> float:
        """Where a column begins."""
        return column * (self.thickness + self.between)

    @property
    def breadth(self) -> float:
        """Of all columns."""
        return self.edge(len(self.columns) - 1) + self.thickness


def place(diagram: Diagram) -> Placed:
    size, thickness = (WIDTH, HEIGHT) if diagram.down else (HEIGHT, WIDTH)
    columns = [[Slot(box.key, number, size) for box in column.boxes] for number, column in enumerate(diagram.columns)]
    boxes = {slot.key: slot for column in columns for slot in column}
    ways = [(arrow, _way(boxes[arrow.source], boxes[arrow.target], columns)) for arrow in diagram.arrows]
    for _, way in ways:
        for here, there in pairwise(way):
            first, second = sorted((here, there), key=lambda slot: slot.column)
            if first.column == second.column:
                first.beside.append(second)
                second.beside.append(first)
            else:
                first.after.append(second)
                second.before.append(first)
    return Placed(columns, ways, _settle(columns), thickness, _BETWEEN[diagram.down])


def _way(source: Slot, target: Slot, columns: list[list[Slot]]) -> list[Slot]:
    """The slots an arrow passes; arrows to the same box share theirs."""
    if abs(source.column - target.column) < 2:
        return [source, target]
    step = 1 if target.column > source.column else -1
    passed = []
    for number in range(source.column + step, target.column, step):
        key = f"~{target.key}~{step}"
        slot = next((each for each in columns[number] if each.key == key), None)
        if slot is None:
            slot = Slot(key, number, LANE)
            columns[number].append(slot)
        passed.append(slot)
    return [source, *passed, target]


def _settle(columns: list[list[Slot]]) -> float:
    """Sweeps there and back, so that each box comes to lie near what it is connected with; the length needed."""
    _stack(columns)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for column in columns if forward else reversed(columns):
            wanted = {slot.key: _wish(slot, forward) for slot in column}
            column.sort(key=lambda slot: (wanted[slot.key], slot.key))
            _stack(columns)
    return max(_extent(column) for column in columns)


def _wish(slot: Slot, forward: bool) -> float:
    near = [*((slot.before if forward else slot.after) or slot.before or slot.after), *slot.beside]
    return sum(each.middle for each in near) / len(near) if near else slot.middle


def _extent(column: list[Slot]) -> float:
    return sum(slot.size for slot in column) + GAP * (len(column) - 1)


def _stack(columns: list[list[Slot]]) -> None:
    """Columns are centred on each other."""
    length = max(_extent(column) for column in columns)
    for column in columns:
        start = (length - _extent(column)) / 2
        for slot in column:
            slot.start = start
            start += slot.size + GAP
