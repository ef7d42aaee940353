"""Runs the Pulumi CLI: quick commands, and long ones for several stacks side by side.

A signal is forwarded once, as SIGINT: the CLI then ends its current step cleanly. Killed in the middle of one, it would
leave a resource that is not in the state.
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

from shared.command_line import CouldNotStart, Interrupted
from shared.pulumi_cli import STACKS, search_path, with_remedy

LINK = "https://www.pulumi.com/docs/iac/download-install/"
_POLL = 0.1  # seconds
_STOPPING = (signal.SIGINT, signal.SIGTERM)

PrintLine = Callable[[str, str], None]
"""Gets the stack and a line of the CLI's output, which begins with the stack's name in brackets."""


def program() -> str:
    """Raises CouldNotStart when there is none."""
    found = shutil.which("pulumi", path=environment()["PATH"])
    if found is None:
        raise CouldNotStart(f"the Pulumi CLI is missing: {LINK}")
    return found


def environment() -> dict[str, str]:
    """Puts this Python first on the path, as the CLI runs the stack program with it, and offers `--event-log`, as the
    Automation API does."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{search_path()}"
    return {**os.environ, "PATH": path, "PULUMI_DEBUG_COMMANDS": "true"}


def output(stack: str, words: Sequence[str], *, standard_input: str = "") -> str:
    """The standard output of a quick command. Raises CouldNotStart with the CLI's error."""
    return output_in(STACKS / stack, words, standard_input=standard_input)


def output_in(folder: Path, words: Sequence[str], *, standard_input: str = "") -> str:
    """As `output`, in a project folder of any kind."""
    done = subprocess.run(
        [program(), *words],
        cwd=folder,
        env=environment(),
        input=standard_input,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        error = with_remedy((done.stderr or done.stdout).strip()[-800:])
        raise CouldNotStart(f"pulumi {' '.join(words[:2])} failed for stacks/{folder.name}: {error or 'no reason'}")
    return done.stdout


_WITH_SETTINGS = ("preview", "up", "refresh", "destroy")
"""The commands that read, and write, a stack's settings."""
_settings_folder: Path | None = None


def use_settings_in(folder: Path) -> None:
    """Stack settings are no longer those of the checkout, but `<folder>/<stack>/Pulumi.<environment>.yaml`."""
    global _settings_folder
    _settings_folder = folder.resolve()


def settings_file(stack: str, environment: str) -> Path:
    """The file that the CLI reads a stack's settings from."""
    return (_settings_folder or STACKS) / stack / f"Pulumi.{environment}.yaml"


def _command(stack: str, words: Sequence[str]) -> list[str]:
    if _settings_folder is None or words[0] not in _WITH_SETTINGS:
        return [program(), *words]
    environment = words[words.index("--stack") + 1]
    return [program(), *words, "--config-file", str(settings_file(stack, environment))]


def side_by_side(jobs: Mapping[str, Sequence[str]], print_line: PrintLine) -> dict[str, int]:
    """One run of the CLI per stack, all at once, non-interactive; their exit codes.

    Lines are printed with their stack's name. Raises Interrupted, after all have ended, if a signal arrived.
    """
    running: dict[str, subprocess.Popen[str]] = {}
    readers: list[threading.Thread] = []

    def forward_signal(_: int) -> None:
        for process in running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)

    with _signals_to(forward_signal) as received:
        for stack, words in jobs.items():
            if received:
                break
            running[stack] = subprocess.Popen(
                _command(stack, words),
                cwd=STACKS / stack,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                process_group=0,  # the terminal's own Ctrl-C would reach it too, and a second one kills it
            )
            readers.append(
                threading.Thread(target=_print_output, args=(stack, running[stack], print_line), daemon=True)
            )
            readers[-1].start()
        while any(process.poll() is None for process in running.values()):
            time.sleep(_POLL)
        for reader in readers:
            reader.join()
    if received:
        raise Interrupted(received[0], f"stopped in {', '.join(running)}; run it again to continue")
    return {stack: process.returncode for stack, process in running.items()}


def _print_output(stack: str, process: Any, print_line: PrintLine) -> None:
    for line in process.stdout:
        print_line(stack, f"[{stack}] {with_remedy(line.rstrip())}")


@contextmanager
def _signals_to(receiver: Callable[[int], None]) -> Iterator[list[int]]:
    """Signals that would end this process go to `receiver` while the block runs; the list holds those received."""
    received: list[int] = []

    def receive(number: int, _: FrameType | None) -> None:
        received.append(number)
        receiver(number)

    before = {number: signal.signal(number, receive) for number in _STOPPING}
    try:
        yield received
    finally:
        for number, former in before.items():
            signal.signal(number, former)
