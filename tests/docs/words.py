"""Retired words in source and documentation.

`python -m tests.docs.words [folder ...]` prints every occurrence with its place, and the number for each folder.
"""

import ast
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from tests.docs.pages import ROOT


class Kind(StrEnum):
    """The part of a file in which a word was found."""

    NAME = "name"  # a name that Python code defines
    TEXT = "text"  # a string literal: log events, metrics, CLI help, reports, messages; also templates and settings
    PROSE = "prose"  # docstrings, comments and Markdown


# Matched in normalized text (`normalized`): whole words and whole parts of identifiers. "Front door" is a common term
# for a public entry point.
RETIRED = re.compile(
    r"(?<!front )\bdoors?\b|\b(told|tells?|telling|said|says?|saying)\b"
    r"|\b(surroundings|owed|owes|anyway|homecoming|errands?)\b"
    r"|\bways? back\b|\b(come|comes|came|coming) home\b|\b(look|looks|looked|looking) for\b"
)
# Not as part of any name either; in prose they have other, plain meanings.
RETIRED_NAMES = re.compile(
    RETIRED.pattern + r"|\b(?<!localaws )homes?\b|\b(?:look|looks|looking)\b(?! up\b)|\bpatience\b|^around$"
)
# In Markdown only.
RETIRED_PROSE = re.compile(RETIRED.pattern + r"|\b(whoever|whatever|anew|stands)\b|\bof ours\b")

TEXT_SUFFIXES = (".j2", ".json", ".toml", ".yaml", ".yml")
_TESTS = tuple(sorted(f"tests/{each.parent.name}" for each in (ROOT / "tests").glob("*/__init__.py")))
SOURCES = (
    *("bench", "components", "drill", "functions", "localaws", "ops", "policy", "shared", "stacks"),
    *("tests/*.py", *_TESTS),
)
DOCUMENTS = ("docs", "*.md", "Makefile", ".github")


@dataclass(frozen=True)
class Exempt:
    """Occurrences that are in order. `path` is a pattern for the whole path, `text` a part of the line."""

    path: str
    text: str
    reason: str


EXEMPT = (
    Exempt("tests/docs/words.py", "", "lists the words"),
    Exempt("tests/docs/test_words.py", "", "lists the words"),
    Exempt("tests/programs/test_words.py", "", "lists the words"),
    Exempt("CHANGELOG.md", "`--anyway`", "a former option"),
)


@dataclass(frozen=True)
class Hit:
    path: str
    line: int
    kind: Kind
    word: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.kind} {self.word!r}: {self.text.strip()[:120]}"


def normalized(text: str) -> str:
    """`LookForWriter`, `look_for_writer` and `look-for-writer` as `look for writer`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return re.sub(r"[\s_/-]+", " ", spaced).lower()


@cache
def hits(folder: str) -> tuple[Hit, ...]:
    """Every occurrence below a folder, or in the files that a pattern names, which is not exempt."""
    found = []
    for path in _files(folder):
        name = str(path.relative_to(ROOT))
        lines = path.read_text().splitlines()
        for line, kind, text in _parts(path):
            pattern = _PATTERNS.get((kind, path.suffix)) or _PATTERNS.get((kind, ""), RETIRED)
            for match in pattern.finditer(normalized(text)):
                hit = Hit(name, line, kind, match[0], text)
                whole = lines[line - 1] if line <= len(lines) else ""
                if not any(_fits(each, hit, whole) for each in EXEMPT):
                    found.append(hit)
    return tuple(found)


_PATTERNS = {(Kind.NAME, ""): RETIRED_NAMES, (Kind.PROSE, ".md"): RETIRED_PROSE}


def _fits(exempt: Exempt, hit: Hit, line: str) -> bool:
    return Path(hit.path).match(exempt.path) and (exempt.text in line or exempt.text in hit.text)


def _files(folder: str) -> Iterator[Path]:
    for path in sorted(ROOT.glob(folder)):
        if path.is_file():
            yield path
        else:
            suffixes = (".py", ".md", *TEXT_SUFFIXES)
            yield from sorted(each for each in path.rglob("*") if each.suffix in suffixes and each.is_file())


def _parts(path: Path) -> Iterator[tuple[int, Kind, str]]:
    """Line, kind and text of everything in a file that a person has worded."""
    text = path.read_text()
    if path.suffix == ".py":
        yield from _python(text)
    elif path.suffix == ".md":
        # Sentences are wrapped, so that a phrase can span two lines.
        for number, paragraph in _paragraphs(text):
            yield number, Kind.PROSE, paragraph
    else:
        for number, line in enumerate(text.splitlines(), start=1):
            yield number, Kind.TEXT, line


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Each line with the first word of the next one, since phrases have two words."""
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        following = lines[number].split()[:1] if number < len(lines) and line.strip() else []
        yield number, " ".join([line, *(word for word in following if word in ("back", "home", "for", "ours"))])


def questions(folder: str) -> list[str]:
    """Docstrings that begin with a question word instead of the thing that they describe."""
    return [
        f"{path.relative_to(ROOT)}:{node.lineno}: {str(node.value).strip()[:80]}"
        for path in _files(folder)
        if path.suffix == ".py"
        for node in _docstrings(ast.parse(path.read_text()))
        if _QUESTION.match(str(node.value).strip())
    ]


_QUESTION = re.compile(r"(What|How|Who|Where|Which|Why|When)\b")


def _docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value


def _python(text: str) -> Iterator[tuple[int, Kind, str]]:
    tree = ast.parse(text)
    docstrings = {id(each) for each in _docstrings(tree)}
    for node in ast.walk(tree):
        for name, line in _defined(node):
            yield line, Kind.NAME, name
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            value = node.value if isinstance(node.value, str) else node.value.decode(errors="replace")
            yield node.lineno, Kind.PROSE if id(node) in docstrings else Kind.TEXT, value
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], Kind.PROSE, token.string


def _defined(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Names that a statement defines. What it only uses is found where it is defined."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name, node.lineno
    elif isinstance(node, ast.arg):
        yield node.arg, node.lineno
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id, node.lineno
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield node.attr, node.lineno
    elif isinstance(node, ast.alias) and node.asname:
        yield node.asname, getattr(node, "lineno", 1)


def files_named(folder: str) -> list[str]:
    """Files and folders whose own name has a retired word."""
    listed = [path for path in ROOT.glob(f"{folder}/**/*") if "__pycache__" not in path.parts]
    names = {str(path.relative_to(ROOT)) for path in listed}
    return sorted(name for name in names if RETIRED_NAMES.search(normalized(Path(name).name)))


def main(folders: Sequence[str]) -> None:
    for folder in folders or (*SOURCES, *DOCUMENTS):
        found = hits(folder)
        if folders:
            print(*found, sep="\n")
        kinds = Counter(each.kind for each in found)
        counted = ", ".join(f"{kinds[kind]} {kind}" for kind in Kind)
        print(f"{folder}: {counted}; {len(files_named(folder))} file names")


if __name__ == "__main__":
    main(sys.argv[1:])
