"""Texts in the source: every string literal, with … in place of values, and the names of classes."""

import ast
import re
from functools import cache

from tests.docs.pages import ROOT

HOLE = "…"
_FOLDERS = ("components", "drill", "functions", "localaws", "ops", "policy", "shared")


@cache
def texts() -> str:
    """All texts, one per line."""
    found = [re.sub(r"\$+\(.*?\)", HOLE, (ROOT / "Makefile").read_text())]
    for folder in _FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            tree = ast.parse(path.read_text())
            inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
            for node in ast.walk(tree):
                if isinstance(node, ast.JoinedStr):
                    found.append("".join(_text(part) for part in node.values))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
                    found.append(node.value)
                elif isinstance(node, ast.ClassDef):
                    found.append(node.name)
    return "\n".join(found)


def _text(part: ast.expr) -> str:
    return part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else HOLE
