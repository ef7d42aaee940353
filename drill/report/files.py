"""The files of a report: one model in four formats, each written whole or not at all, without secrets and without
account numbers but for their last four digits."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from drill.report import html, junit, markdown
from drill.report.model import Report
from drill.runlog.log import Redactor

JSON_NAME = "report.json"
HTML_NAME = "report.html"
MARKDOWN_NAME = "report.md"
JUNIT_NAME = "junit.xml"

_SHAPES: Mapping[str, Callable[[Report], str]] = {
    HTML_NAME: html.render,
    MARKDOWN_NAME: markdown.render,
    JUNIT_NAME: junit.render,
    JSON_NAME: lambda report: report.model_dump_json(indent=2) + "\n",
}
"""The JSON last: where it exists, the others do too."""


def remove(folder: Path) -> None:
    """Delete an earlier run's report."""
    for name in _SHAPES:
        (folder / name).unlink(missing_ok=True)


def write(report: Report, folder: Path, *, secrets: Iterable[str] = ()) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shown = Report.model_validate(Redactor(secrets).tree(report.model_dump(mode="json")))
    for name, render in _SHAPES.items():
        replace_file(folder / name, render(shown))


def read(folder: Path) -> Report:
    """Raises OSError and pydantic's ValidationError, the latter for a report of another version too."""
    return Report.model_validate_json((folder / JSON_NAME).read_bytes())


def replace_file(path: Path, content: str) -> None:
    """Write `content` whole or not at all."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(content, encoding="utf-8")
    os.replace(unfinished, path)
