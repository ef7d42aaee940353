"""Runs a command and ends it with its owner: `python -m drill.engine.keeper COMMAND…`, the owner's pipe as standard
input.

When that pipe closes, for whatever reason (the owner stopped, crashed, or was killed with a signal nobody can catch),
the command gets SIGTERM, and its process group SIGKILL if it is still there after a while. The keeper exits with its
status.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 20.0
"""For a command that stops in good order: it ends its own children and removes its own files."""


def main(command: list[str]) -> int:
    # A session of its own: Ctrl-C in a terminal reaches the owner only, who still needs the command for the way back.
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: _end(process))
    threading.Thread(target=_watch, args=(process,), daemon=True).start()
    return process.wait()


def _watch(process: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    _end(process)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):  # it ended just now
            os.killpg(process.pid, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
