"""The folders of drills, one a run: `build/drills/<environment>/<moment>-<scenario>/`, in the order they began."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from drill.runlog import log
from drill.runlog.log import Recorded

ROOT = Path("build/drills")
_NAME = re.compile(r"\d{8}T\d{6}Z-[a-z0-9-]+(-\d+)?")


class NoRun(RuntimeError):
    """There is no such run. The message lists the last ones."""


def new_folder(environment: str, scenario: str, *, root: Path = ROOT, now: datetime | None = None) -> Path:
    """Create the folder of a run that begins now; a second one in the same second gets a number."""
    moment = (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    for number in range(1, 100):
        folder = root / environment / (f"{moment}-{scenario}" + (f"-{number}" if number > 1 else ""))
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            continue
    raise NoRun(f"a hundred runs of {scenario} began at {moment} in {root / environment}; start one at a time")


def folders(environment: str, *, root: Path = ROOT) -> list[Path]:
    """Every run's folder, the oldest first."""
    found = root / environment
    return sorted(path for path in found.iterdir() if _NAME.fullmatch(path.name)) if found.is_dir() else []


def chosen(environment: str, name: str | None, *, root: Path = ROOT) -> Path:
    """The run called `name`, or the last one. Raises NoRun."""
    every = folders(environment, root=root)
    if not every:
        raise NoRun(f"no drill has run in {environment}: {root / environment} holds none")
    if name is None:
        return every[-1]
    for folder in every:
        if folder.name == name:
            return folder
    raise NoRun(f"{environment} has no run {name}; the last are {', '.join(each.name for each in every[-3:])}")


def with_pending_rollbacks(environment: str, *, root: Path = ROOT) -> list[Path]:
    """Runs with pending rollbacks, and runs that were cut off; the newest first. Raises RunLogError."""
    return [
        folder
        for folder in reversed(folders(environment, root=root))
        if (folder / log.NAME).exists() and _needs_cleanup(log.read(folder))
    ]


def _needs_cleanup(entries: Sequence[Recorded]) -> bool:
    return bool(log.pending_rollbacks(entries)) or log.is_cut_off(entries)
