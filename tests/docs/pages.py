"""The repository's Markdown pages, parsed into commands, links, anchors and paths."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Top-level folders: a path below one of them must exist.
FOLDERS = tuple(
    sorted(each.name for each in ROOT.iterdir() if each.is_dir() and each.name not in ("build", ".git", ".venv"))
)

_FENCE = re.compile(r"^\s*(```+|~~~+)\s*(.*)$")
_LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\)")
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
_PATH = re.compile(r"[\w.*<>-]+(/[\w.*<>-]+)+/?")


@dataclass(frozen=True)
class Command:
    """One command of a `sh`, `shell` or `console` block, or of one without a language.

    `run`: the block is marked `run`, because its commands are cheap and have no effect.
    """

    page: str
    line: int
    text: str
    run: bool

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


@dataclass(frozen=True)
class Page:
    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def _parts(self) -> tuple[list[str], list[tuple[int, str, list[str]]]]:
        """The prose with code blocks blanked out, and the blocks: number of the first line, info string, lines."""
        prose: list[str] = []
        blocks: list[tuple[int, str, list[str]]] = []
        fence = ""
        for number, line in enumerate(self.text.splitlines(), start=1):
            found = _FENCE.match(line)
            if fence:
                if found and found[1].startswith(fence) and not found[2]:
                    fence = ""
                else:
                    blocks[-1][2].append(line)
                prose.append("")
            elif found:
                fence = found[1]
                blocks.append((number + 1, found[2], []))
                prose.append("")
            else:
                prose.append(line)
        assert not fence, f"{self.name} has an unclosed block"
        return prose, blocks

    @property
    def commands(self) -> Iterator[Command]:
        for first, info, lines in self._parts[1]:
            language, *marks = info.split() or [""]
            if language not in ("", "sh", "shell", "console"):
                continue
            for number, text in _joined(lines, first):
                if language == "console":
                    if not text.startswith("$ "):
                        continue  # output of a command
                    text = text[2:]
                if not language and text.split()[0] not in ("aws", "make", "pulumi"):
                    continue  # a block of another language
                yield Command(self.name, number, text, run="run" in marks)

    @property
    def links(self) -> Iterator[str]:
        """Targets of the page's links within the repository."""
        for line in self._parts[0]:
            for target in _LINK.findall(_SPAN.sub("", line)):
                if not re.match(r"[a-z][a-z0-9+.-]*:", target):
                    yield target

    @cached_property
    def anchors(self) -> frozenset[str]:
        """The anchors that GitHub derives from the headings."""
        found: list[str] = []
        for line in self._parts[0]:
            if heading := _HEADING.match(line):
                words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).replace("`", "")
                slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
                taken = found.count(slug)
                found.append(slug)
                if taken:
                    found.append(f"{slug}-{taken}")
        return frozenset(found)

    @property
    def paths(self) -> Iterator[str]:
        """Code spans that name a file or folder of the repository, as patterns for `glob`."""
        for line in self._parts[0]:
            for span in _SPAN.findall(line):
                name = span.partition("::")[0]
                if _PATH.fullmatch(name) and name.partition("/")[0] in FOLDERS:
                    yield re.sub(r"<[^>]*>", "*", name.rstrip("/"))

    @property
    def spans(self) -> Iterator[str]:
        for line in self._parts[0]:
            yield from _SPAN.findall(line)


def pages() -> list[Page]:
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return [Page(path) for path in sorted(found)]


def _joined(lines: list[str], first: int) -> Iterator[tuple[int, str]]:
    """Commands with continuation lines joined, without comments and empty lines."""
    text, began = "", first
    for number, line in enumerate(lines, start=first):
        began = began if text else number
        text += line.strip()
        if text.endswith("\\"):
            text = text[:-1].rstrip() + " "
            continue
        if text and not text.startswith("#"):
            yield began, text
        text = ""
