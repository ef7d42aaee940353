"""Lays out a diagram and renders it as SVG: plain shapes and text, no script and no font of its own.

The layout depends on the diagram alone, so that equal diagrams give equal files.
"""

from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

from ops.diagrams.model import Arrow, Box, Diagram, Line

WIDTH, HEIGHT, GAP, LANE = 176, 46, 18, 12
_BETWEEN = {False: 92, True: 40}  # columns, rows
_SWEEPS = 12
MARGIN, HEAD, LINE = 28, 78, 17
# Fill and border by the kind of a box.
COLOURS = {
    "ingress": ("#e8f0fe", "#3367d6"),
    "compute": ("#fff3e0", "#e07b00"),
    "event": ("#fde7f3", "#c2347c"),
    "data": ("#e6f4ea", "#1e7e46"),
    "monitoring": ("#fffbe0", "#a08400"),
    "network": ("#eceff1", "#546e7a"),
    "outside": ("#ffffff", "#8a8f98"),
    "end": ("#e6f4ea", "#1e7e46"),
    "failed": ("#fdecea", "#c5221f"),
    "choice": ("#fffbe0", "#a08400"),
    "plain": ("#f1f3f4", "#5f6368"),
}
_STROKES = {
    Line.REQUEST: ("#3367d6", ""),
    Line.DATA: ("#1e7e46", ""),
    Line.CONTROL: ("#6b7077", ' stroke-dasharray="5 4"'),
    Line.NEXT: ("#5f6368", ""),
}
_MEANINGS = {Line.REQUEST: "requests", Line.DATA: "data", Line.CONTROL: "watches, starts, decides"}
_LETTERS = 23  # fit into a box at 13 px
_SMALL = 29


@dataclass
class Slot:
    """The space of a box, or of a passing arrow, in a column. `start` and `size` run along the column."""

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
        """The start of a column."""
        return column * (self.thickness + self.between)

    @property
    def breadth(self) -> float:
        """Of all columns."""
        return self.edge(len(self.columns) - 1) + self.thickness


def svg(diagram: Diagram) -> str:
    placed = place(diagram)
    across, down = (placed.length, placed.breadth) if diagram.down else (placed.breadth, placed.length)
    legend = _legend(diagram)
    width = round(max(across + 2 * MARGIN, 10 * len(diagram.title) + 2 * MARGIN))
    height = round(HEAD + down + MARGIN + LINE * (len(diagram.notes) + bool(legend)) + 10)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(diagram.title)}" font-family="Helvetica, Arial, sans-serif">',
        _markers(),
        f'<rect width="{width}" height="{height}" rx="10" fill="#ffffff"/>',
        f'<text x="{MARGIN}" y="32" font-size="18" font-weight="bold" fill="#202124">{escape(diagram.title)}</text>',
        *_titles(diagram, placed),
        f'<g transform="translate({_number((width - across) / 2)} {HEAD})">',
        *_arrows(placed, diagram.down),
        *_boxes(diagram, placed),
        "</g>",
        f'<g transform="translate({MARGIN} {_number(HEAD + down + MARGIN)})" font-size="12" fill="#5f6368">',
        *legend,
        *(
            f'<text y="{LINE * (number + bool(legend)) + 4}">{escape(note)}</text>'
            for number, note in enumerate(diagram.notes)
        ),
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _titles(diagram: Diagram, placed: Placed) -> list[str]:
    return [
        f'<text x="{_number(MARGIN + placed.edge(number) + WIDTH / 2)}" y="60" font-size="13" fill="#5f6368" '
        f'text-anchor="middle">{escape(column.title)}</text>'
        for number, column in enumerate(diagram.columns)
        if column.title
    ]


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _markers() -> str:
    heads = "".join(
        f'<marker id="{line}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" '
        f'orient="auto-start-reverse"><path d="M0 0.6L8 4L0 7.4z" fill="{colour}"/></marker>'
        for line, (colour, _) in _STROKES.items()
    )
    return f"<defs>{heads}</defs>"


def _boxes(diagram: Diagram, placed: Placed) -> list[str]:
    slots = {slot.key: slot for column in placed.columns for slot in column}
    found = []
    for box in diagram.boxes():
        slot = slots[box.key]
        left, top = placed.edge(slot.column), slot.start
        found.append(_box(box, top, left) if diagram.down else _box(box, left, top))
    return found


def _box(box: Box, left: float, top: float) -> str:
    fill, border = COLOURS[box.kind]
    middle = _number(left + WIDTH / 2)
    dashed = ' stroke-dasharray="4 3"' if box.kind == "outside" else ""
    lines = [
        f'<rect x="{_number(left)}" y="{_number(top)}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{fill}" '
        f'stroke="{border}" stroke-width="1.4"{dashed}/>',
        f'<text x="{middle}" y="{_number(top + (20 if box.detail else 28))}" font-size="13" fill="#202124" '
        f'text-anchor="middle">{escape(_cut(box.title, _LETTERS))}</text>',
    ]
    if box.detail:
        lines.append(
            f'<text x="{middle}" y="{_number(top + 36)}" font-size="11" fill="#5f6368" '
            f'text-anchor="middle">{escape(_cut(box.detail, _SMALL))}</text>'
        )
    return "".join(lines)


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1].rstrip()}…"


Point = tuple[float, float]  # across the columns, along them
Run = tuple[str, list[Point]]  # SVG path command and its points


def _arrows(placed: Placed, down: bool) -> list[str]:
    both = {(arrow.source, arrow.target) for arrow, _ in placed.ways}
    found = []
    for arrow, way in placed.ways:
        colour, dashes = _STROKES[arrow.line]
        # Two arrows between the same boxes, there and back, run side by side.
        aside = 9 * (1 if arrow.source < arrow.target else -1) if (arrow.target, arrow.source) in both else 0
        runs = _runs(way, placed, aside)
        path = "".join(_drawn(letter, points, down) for letter, points in runs)
        found.append(
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.4" stroke-opacity="0.8"{dashes} '
            f'marker-end="url(#{arrow.line})"/>'
        )
        if arrow.label:
            found.append(_label(arrow.label, runs, down))
    return found


def _runs(way: list[Slot], placed: Placed, aside: float) -> list[Run]:
    source, target = way[0], way[-1]
    end = placed.thickness
    if source.column == target.column:
        at = placed.edge(source.column) + end
        bend = at + placed.between * 0.4
        first, last = source.middle + 6, target.middle - 6
        return [("M", [(at, first)]), ("C", [(bend, first), (bend, last), (at + 2, last)])]
    forward = target.column > source.column
    at, along = placed.edge(source.column) + (end if forward else 0), source.middle + aside
    runs: list[Run] = [("M", [(at, along)])]
    for slot in way[1:]:
        begin = placed.edge(slot.column)
        enter, leave = (begin, begin + end) if forward else (begin + end, begin)
        if slot is target:
            enter += -2 if forward else 2
        bend, level = (at + enter) / 2, slot.middle + aside
        runs.append(("C", [(bend, along), (bend, level), (enter, level)]))
        at, along = enter, level
        if slot is not target:
            runs.append(("L", [(leave, level)]))
            at = leave
    return runs


def _drawn(letter: str, points: list[Point], down: bool) -> str:
    return letter + " ".join(
        f"{_number(along)} {_number(across)}" if down else f"{_number(across)} {_number(along)}"
        for across, along in points
    )


def _label(text: str, runs: list[Run], down: bool) -> str:
    (start,), (*_, stop) = runs[0][1], runs[1][1]
    across, along = (start[0] + stop[0]) / 2, (start[1] + stop[1]) / 2
    x, y = (along, across) if down else (across, along)
    return (
        f'<text x="{_number(x)}" y="{_number(y + 4)}" font-size="11" fill="#5f6368" text-anchor="middle" '
        f'stroke="#ffffff" stroke-width="4" paint-order="stroke">{escape(text)}</text>'
    )


def _legend(diagram: Diagram) -> list[str]:
    used = [line for line in _MEANINGS if any(arrow.line is line for arrow in diagram.arrows)]
    found, x = [], 0
    for line in used:
        colour, dashes = _STROKES[line]
        found.append(
            f'<path d="M{x} 0h30" stroke="{colour}" stroke-width="1.4"{dashes} marker-end="url(#{line})"/>'
            f'<text x="{x + 38}" y="4">{escape(_MEANINGS[line])}</text>'
        )
        x += 60 + 7 * len(_MEANINGS[line])
    return found


# Layout: each column's boxes in an order in which few arrows cross. An arrow that passes columns gets a gap in each, so
# that it never runs behind a box.


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
    """The slots that an arrow passes; arrows to the same box share theirs."""
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
    """Sort the columns in sweeps, so that boxes come near their neighbours; the length of the longest column."""
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
