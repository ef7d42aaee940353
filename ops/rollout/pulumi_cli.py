"""Runs of the Pulumi CLI: one in the foreground for a person to answer, or several side by side, line by line.

A signal is handed on once, as Ctrl-C is: the CLI then ends its current step cleanly. Killing it in the middle of one
would leave a resource that its state does not know.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from ops.cli.errors import CouldNotStart, Interrupted
from shared.pulumi_cli import STACKS

LINK = "https://www.pulumi.com/docs/iac/download-install/"
_LOOK = 0.1
_STOPPING = (signal.SIGINT, signal.SIGTERM)

Say = Callable[[str], None]


def program() -> str:
    """Raises CouldNotStart when there is none."""
    found = shutil.which("pulumi", path=_environment()["PATH"])
    if found is None:
        raise CouldNotStart(f"the Pulumi CLI is missing: {LINK}")
    return found


def _environment() -> dict[str, str]:
    """The CLI runs the program with the first Python on the path: ours."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path}


def ask(stack: str, words: Sequence[str], *, given: str | None = None) -> str:
    """What a quick command prints. Raises CouldNotStart with what the CLI said when it fails."""
    command = [program(), *words]
    done = subprocess.run(
        command, cwd=STACKS / stack, env=_environment(), input=given, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise CouldNotStart(f"pulumi {' '.join(words[:2])} failed for stacks/{stack}: {said[-400:] or 'no reason'}")
    return done.stdout


def in_foreground(stack: str, words: Sequence[str]) -> int:
    """The CLI with the terminal for its own: it shows, asks, and hears Ctrl-C itself. Returns its status."""
    process = subprocess.Popen([program(), *words], cwd=STACKS / stack, env=_environment())
    with _signals_to(lambda number: process.send_signal(signal.SIGINT) if number == signal.SIGTERM else None) as got:
        while process.poll() is None:
            time.sleep(_LOOK)
    if got:
        raise Interrupted(got[0], f"{stack}: the CLI was stopped; run it again")
    return process.returncode


def side_by_side(jobs: Mapping[str, Sequence[str]], say: Say) -> dict[str, int]:
    """One run of the CLI for each stack, all at once, without questions; their statuses.

    Each line is said with its stack's name. Raises Interrupted, after all have ended, when a signal came.
    """
    command = program()
    running: dict[str, subprocess.Popen[str]] = {}
    readers: list[threading.Thread] = []

    def hand_on(_: int) -> None:
        for process in running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)

    with _signals_to(hand_on) as got:
        for stack, words in jobs.items():
            if got:
                break
            running[stack] = subprocess.Popen(
                [command, *words],
                cwd=STACKS / stack,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                process_group=0,  # the terminal's own Ctrl-C would reach it too, and a second one ends it hard
            )
            readers.append(threading.Thread(target=_tell, args=(stack, running[stack], say), daemon=True))
            readers[-1].start()
        while any(process.poll() is None for process in running.values()):
            time.sleep(_LOOK)
        for reader in readers:
            reader.join()
    if got:
        raise Interrupted(got[0], f"stopped in {', '.join(running)}; run it again to go on")
    return {stack: process.returncode for stack, process in running.items()}


def _tell(stack: str, process: Any, say: Say) -> None:
    for line in process.stdout:
        say(f"[{stack}] {line.rstrip()}")


@contextmanager
def _signals_to(receiver: Callable[[int], None]) -> Iterator[list[int]]:
    """While inside, signals that would end us go to `receiver`; those that came are in the list."""
    got: list[int] = []

    def receive(number: int, _: FrameType | None) -> None:
        got.append(number)
        receiver(number)

    before = {number: signal.signal(number, receive) for number in _STOPPING}
    try:
        yield got
    finally:
        for number, former in before.items():
            signal.signal(number, former)
