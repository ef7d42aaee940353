"""Every cited source, requirement and decision is in the repository."""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import ROOT

REFERENCES = ROOT / "docs" / "references.md"
REQUIREMENTS = ROOT / "docs" / "requirements.md"
SUFFIXES = (".md", ".py", ".yaml", ".yml")

_ENTRY = re.compile(r"^- \*\*([A-Z][A-Z0-9]*-[0-9]+)\*\* ", re.MULTILINE)
_CITED = re.compile(r"\[([A-Z][A-Z0-9]*-[0-9]+)\]")
_REQUIREMENT = re.compile(r"^## (R[0-9]+) ", re.MULTILINE)
_CITED_REQUIREMENT = re.compile(r"\b(R[0-9]+)\b(?!-)")
_DECISION = re.compile(r"\bdecisions? ([0-9]{4})\b")
# Documents that are not in the repository, and abbreviated names of guides.
_ELSEWHERE = (
    re.compile(r"\b[a-z]+-facts\b"),
    re.compile(r"\bdesign §"),
    re.compile(r"(?<![\w/])(?:tf|paws)#[0-9]"),
    re.compile(r"\b(?:ACMUG|BKUP|EBUG|GADG|LDG|XRDG|AuroraUG|(?:DDB|R53)DG|(?:IAM|S3)UG)\b"),
    re.compile(r"\bAPIGW [a-z]"),
    re.compile(r"\b(?:dev|developer|peering|PrivateLink|reference|user) guide\b(?!.*\]\(http)", re.IGNORECASE),
    re.compile(r"\bSDK [a-z0-9_]+/"),
)


def _texts() -> Iterator[tuple[str, str]]:
    """Name and text of every file under version control, or not ignored by it, except the references themselves."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    for name in sorted(set(listed)):
        path = ROOT / name
        read = path.suffix in SUFFIXES or path.name in ("Makefile", "Pipfile")
        if read and path.is_file() and path not in (REFERENCES, Path(__file__).resolve()):
            yield name, path.read_text()


def _found(pattern: re.Pattern[str]) -> dict[str, list[str]]:
    """Every match with its places."""
    found: dict[str, list[str]] = {}
    for name, text in _texts():
        for number, line in enumerate(text.splitlines(), start=1):
            for cited in pattern.findall(line):
                found.setdefault(cited, []).append(f"{name}:{number}")
    return found


def _entries() -> list[str]:
    return _ENTRY.findall(REFERENCES.read_text())


def test_every_cited_source_is_among_the_references() -> None:
    cited = _found(_CITED)
    assert len(cited) > 100, "the citations were not found"
    assert not {id_: places for id_, places in cited.items() if id_ not in _entries()}


def test_every_reference_is_cited() -> None:
    assert sorted(set(_entries()) - set(_found(_CITED))) == []


def test_every_reference_has_a_unique_id_and_a_link() -> None:
    assert [id_ for id_, count in Counter(_entries()).items() if count > 1] == []
    items = [line for line in REFERENCES.read_text().splitlines() if line.startswith("- ")]
    assert len(items) == len(_entries()), "an entry without an id cannot be cited"
    assert [item for item in items if "](https://" not in item] == []


def test_every_cited_requirement_exists() -> None:
    there = _REQUIREMENT.findall(REQUIREMENTS.read_text())
    assert there == [f"R{number}" for number in range(1, len(there) + 1)]
    cited = _found(_CITED_REQUIREMENT)
    assert len(cited) > 5, "the citations were not found"
    assert not {number: places for number, places in cited.items() if number not in there}


def test_every_cited_decision_exists() -> None:
    there = {path.name[:4] for path in (ROOT / "docs" / "decisions").glob("*.md")}
    cited = _found(_DECISION)
    assert len(cited) > 5, "the citations were not found"
    assert not {number: places for number, places in cited.items() if number not in there}


def test_nothing_outside_the_repository_is_cited_without_a_link() -> None:
    assert [
        f"{name}:{number}: {line.strip()}"
        for name, text in _texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if any(pattern.search(line) for pattern in _ELSEWHERE)
    ] == []
