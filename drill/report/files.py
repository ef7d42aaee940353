"""The files of a report: written whole or not at all."""

import os
from pathlib import Path

from drill.report.html import render
from drill.report.model import Report

JSON_NAME = "report.json"
HTML_NAME = "report.html"


def remove(folder: Path) -> None:
    """Take an earlier run's report away."""
    for name in (JSON_NAME, HTML_NAME):
        (folder / name).unlink(missing_ok=True)


def write(report: Report, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / HTML_NAME, render(report))
    _replace(folder / JSON_NAME, report.model_dump_json(indent=2) + "\n")


def _replace(path: Path, content: str) -> None:
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(content, encoding="utf-8")
    os.replace(unfinished, path)
