"""A diagram as Mermaid, which GitHub and GitLab draw from the text."""

import re

from ops.diagram_model import Box, Diagram, Line

_ARROWS = {Line.REQUEST: "-->", Line.DATA: "==>", Line.CONTROL: "-.->", Line.NEXT: "-->"}
_SHAPES = {"data": ('[("', '")]'), "outside": ('(["', '"])'), "choice": ('{"', '"}'), "end": ('(["', '"])')}


def mermaid(diagram: Diagram) -> str:
    lines = [
        f"%% {diagram.title}. Made by `make graph` from what the programs register.",
        f"flowchart {'TB' if diagram.down else 'LR'}",
    ]
    for number, column in enumerate(diagram.columns):
        boxes = [_box(box) for box in column.boxes]
        if column.title:
            lines += [f'    subgraph c{number}["{column.title}"]', *(f"        {each}" for each in boxes), "    end"]
        else:
            lines += [f"    {each}" for each in boxes]
    for arrow in diagram.arrows:
        label = f'|"{arrow.label}"|' if arrow.label else ""
        lines.append(f"    {_key(arrow.source)} {_ARROWS[arrow.line]}{label} {_key(arrow.target)}")
    return "\n".join([*lines, *(f"%% {note}" for note in diagram.notes)]) + "\n"


def _box(box: Box) -> str:
    opening, closing = _SHAPES.get(box.kind, ('["', '"]'))
    text = f"{box.title}<br/>{box.detail}" if box.detail else box.title
    return f"{_key(box.key)}{opening}{text}{closing}"


def _key(key: str) -> str:
    """Mermaid's names are words; `end` is one of its own."""
    return f"n_{re.sub(r'[^A-Za-z0-9]+', '_', key)}"
