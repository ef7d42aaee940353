"""The log of a run: an append-only file of JSON lines, each on disk before the run goes on.

Every line holds the hash of the line before and its own, so that a line that was changed, removed or inserted is
detected. A log that was cut off lacks the entry of the run's end.
"""

import fcntl
import hashlib
import json
import os
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from drill.runlog.entries import ActionBegun, Entry, Rollback, RolledBack
from shared.redaction import masked

SECRET = "[secret]"
_SHORTEST = 6  # a shorter "secret" would blank out ordinary words

_PATTERNS = (
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),  # access key ids [IAM-4]
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),  # user and password in a URL
    re.compile(r"(?i)(?<=authorization: )\S.*"),
    re.compile(r"(?i)(?:(?<=password=)|(?<=secret=)|(?<=token=)|(?<=x-api-key: )|(?<=x-api-key=))[^\s&,;\"']+"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----"),
)


class Redactor:
    """Removes from a text what neither log nor report may hold: the run's own secrets by value, others by their
    pattern, and account numbers but for their last four digits."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({each for each in secrets if len(each) >= _SHORTEST}, key=len, reverse=True)

    def text(self, value: str) -> str:
        for secret in self._secrets:
            value = value.replace(secret, SECRET)
        for pattern in _PATTERNS:
            value = pattern.sub(SECRET, value)
        return masked(value)

    def tree(self, value: Any) -> Any:
        """A JSON-like value with every text in it redacted, keys too."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(str(key)): self.tree(each) for key, each in value.items()}
            case list() | tuple():
                return [self.tree(each) for each in value]
        return value


NAME = "run-log.jsonl"
_START = "0" * 64  # what the first line names as the hash before it
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


class RunLogError(RuntimeError):
    """A run log cannot be written, or was changed. The message names the first broken line."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One line: the entry, its number from 1, and when it was written."""

    number: int
    at: datetime
    entry: Entry


@dataclass(frozen=True, kw_only=True)
class PendingRollback:
    """A rollback that was not carried out, and the action it belongs to."""

    action: str
    name: str
    rollback: Rollback


class RunLog:
    """A run's log, open for writing by one process at a time; its threads may share it."""

    def __init__(self, path: Path, descriptor: int, redactor: Redactor, number: int, head: str) -> None:
        self.path = path
        self._descriptor: int | None = descriptor
        self._redactor = redactor
        self._number = number
        self._head = head
        self._lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path, *, secrets: Iterable[str] = ()) -> "RunLog":
        """Create the log in `folder`, or continue it. `secrets` are redacted.

        Raises RunLogError if its chain is broken, or another run is writing it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / NAME
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            content = path.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]
            if whole != content:
                os.ftruncate(descriptor, len(whole))  # the last run died while writing it
            lines = _verified(whole, path)
            _sync_folder(folder)
        except BlockingIOError as error:
            os.close(descriptor)
            raise RunLogError(f"a run is still writing {path}; let it end first") from error
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, descriptor, Redactor(secrets), len(lines), lines[-1][1] if lines else _START)

    def write(self, entry: Entry) -> None:
        """Redacted, and on disk when this returns. Raises OSError if it cannot be written, RunLogError once closed."""
        with self._lock:
            if self._descriptor is None:
                raise RunLogError(f"{self.path} is closed; nothing more can be written")
            number = self._number + 1
            content = {
                "number": number,
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "entry": self._redactor.tree(entry.model_dump(mode="json")),
                "previous": self._head,
            }
            head = _hash(content)
            line = json.dumps(content | {"hash": head}, ensure_ascii=False, sort_keys=True) + "\n"
            data = line.encode()
            end = os.fstat(self._descriptor).st_size
            if os.write(self._descriptor, data) != len(data):
                os.ftruncate(self._descriptor, end)
                raise OSError(f"{self.path} accepted only a part of line {number}; is the disk full?")
            os.fsync(self._descriptor)
            self._number, self._head = number, head

    def entries(self) -> list[Recorded]:
        """All lines so far, verified. Raises RunLogError."""
        return read(self.path.parent)

    @property
    def closed(self) -> bool:
        return self._descriptor is None

    def close(self) -> None:
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read(folder: Path) -> list[Recorded]:
    """The log of a run, verified; a last line that was cut off while it was written is left out.

    Raises RunLogError, naming the first broken line, and FileNotFoundError where there is no log.
    """
    path = folder / NAME
    content = path.read_bytes()
    return [recorded for recorded, _ in _verified(content[: content.rfind(b"\n") + 1], path)]


def pending_rollbacks(entries: Iterable[Recorded]) -> list[PendingRollback]:
    """The last change first. A change that was begun counts as made, even if it failed: it may have taken effect."""
    pending: dict[str, PendingRollback] = {}
    for entry in (recorded.entry for recorded in entries):
        if isinstance(entry, ActionBegun) and entry.rollback is not None:
            pending[entry.action] = PendingRollback(action=entry.action, name=entry.name, rollback=entry.rollback)
        elif isinstance(entry, RolledBack) and entry.outcome == "done":
            pending.pop(entry.action, None)
    return list(reversed(pending.values()))


def is_cut_off(entries: Iterable[Recorded]) -> bool:
    """Whether the run died and was not cleaned up since. What the system did by itself meanwhile, such as a failover,
    may be left too."""
    kinds = [recorded.entry.kind for recorded in entries]
    return "run started" in kinds and not {"run ended", "cleaned up"} & set(kinds)


def _verified(content: bytes, path: Path) -> list[tuple[Recorded, str]]:
    found: list[tuple[Recorded, str]] = []
    previous = _START
    for number, line in enumerate(content.splitlines(), start=1):
        recorded, previous = _line(line, number, previous, path)
        found.append((recorded, previous))
    return found


def _line(line: bytes, number: int, previous: str, path: Path) -> tuple[Recorded, str]:
    try:
        content: dict[str, Any] = json.loads(line)
        stored = content.pop("hash")
        if content["number"] != number or content["previous"] != previous:
            raise RunLogError(f"line {number} of {path} does not follow the line before: one was removed or inserted")
        if stored != _hash(content):
            raise RunLogError(f"line {number} of {path} was changed after it was written")
        entry = _ENTRY.validate_python(content["entry"])
        return Recorded(number=number, at=datetime.fromisoformat(content["at"]), entry=entry), stored
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
        raise RunLogError(f"line {number} of {path} is no line of a run log: {type(error).__name__}") from error


def _hash(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _sync_folder(folder: Path) -> None:
    """The file's directory entry must survive a crash too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
