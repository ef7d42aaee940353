"""A tiny process that cleans up after its owner, even one that was killed with SIGKILL. Standard library only.

It runs in a session of its own and reads lines from a pipe that only the owner holds: `group <pgid>`, `leave <pgid>`,
`path <path>`.
At end of file the owner is gone: process groups that are left get SIGTERM, then SIGKILL; then the paths are removed.
It touches only paths below the folders it was started with.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

_GRACE = 0.5  # seconds between SIGTERM and SIGKILL
_FORCE = 2.0  # seconds a killed group gets to disappear
_POLL = 0.02
_PROC = Path("/proc")


class Reaper:
    """The owner's side, for any thread. `roots` are the folders below which paths may be removed."""

    def __init__(self, roots: list[Path]) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, *(str(root) for root in roots)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            start_new_session=True,
        )

    def group(self, pgid: int) -> None:
        """End this process group when the owner is gone. Raises OSError if the reaper itself was ended."""
        self._write(f"group {pgid}")

    def leave(self, pgid: int) -> None:
        """Forget a group that has ended in order."""
        self._write(f"leave {pgid}")

    def path(self, path: Path) -> None:
        """Remove this file or folder when the owner is gone. Raises OSError if the reaper itself was ended."""
        self._write(f"path {path.resolve()}")

    def close(self) -> None:
        """Let the reaper finish now; returns when it has ended."""
        with self._lock:
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait(timeout=_GRACE + _FORCE + 5)

    def _write(self, line: str) -> None:
        if "\n" in line:
            raise ValueError(f"{line!r} has a line break, which the reaper cannot read")
        with self._lock:
            assert self._process.stdin is not None
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()


def started_at(pid: int) -> str | None:
    """The start of a process, in a form that differs if its number is used again; None if it is gone or a zombie."""
    if (_PROC / "self").exists():
        fields = _fields(_PROC / str(pid))
        return fields[19] if fields and fields[0] != "Z" else None
    found = subprocess.run(["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def _fields(process: Path) -> list[str] | None:
    """The fields of /proc/<pid>/stat after the process's name: state, parent, group, …, see proc_pid_stat(5)."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _lives(pgid: int) -> bool:
    """Whether a process of the group still runs; zombies do not count."""
    if (_PROC / "self").exists():
        found = (_fields(process) for process in _PROC.iterdir() if process.name.isdecimal())
        return any(fields and fields[0] != "Z" and fields[2] == str(pgid) for fields in found)
    try:
        os.killpg(pgid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _end(groups: dict[int, str | None]) -> None:
    """Send each group SIGTERM, then SIGKILL; not a group whose number has been reused."""
    ours = {pgid for pgid, leader in groups.items() if started_at(pgid) in (None, leader)}
    for number, grace in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, _FORCE)):
        for pgid in ours:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pgid, number)
        deadline = time.monotonic() + grace
        while (ours := {pgid for pgid in ours if _lives(pgid)}) and time.monotonic() < deadline:
            time.sleep(_POLL)


def _remove(folder: Path) -> None:
    deadline = time.monotonic() + _GRACE
    while folder.exists() and time.monotonic() < deadline:  # a dying process may write one last file
        shutil.rmtree(folder, ignore_errors=True)


def main(arguments: list[str]) -> None:
    roots = [Path(argument).resolve() for argument in arguments]
    groups: dict[int, str | None] = {}
    paths: list[Path] = []
    for line in sys.stdin:
        word, _, value = line.rstrip("\n").partition(" ")
        if word == "group":
            groups[int(value)] = started_at(int(value))
        elif word == "leave":
            groups.pop(int(value), None)
        elif word == "path":
            paths.append(Path(value))
    paths = [path for path in paths if any(root in path.parents for root in roots)]
    for path in paths:
        if not path.is_dir() or path.is_symlink():
            path.unlink(missing_ok=True)  # at once: others take such a file for a running server
    _end(groups)
    for path in paths:
        _remove(path)


if __name__ == "__main__":
    main(sys.argv[1:])
