"""Runs the Pulumi CLI for several stacks in the order of their dependencies: the regions side by side, then `global`.

The reverse when destroying. Neither Pulumi nor its backend holds this order [PULUMI-3].
"""

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from ops.rollout import locks, plan, pulumi_cli
from ops.rollout.locks import Lock
from ops.rollout.plan import Plan
from shared.command_line import CouldNotStart, Incomplete, Interrupted

Waves = Sequence[Sequence[str]]
WAVES: tuple[tuple[str, ...], ...] = (("primary", "secondary"), ("global",))
"""Each wave depends on the one before it."""
ALL_STACKS = tuple(stack for wave in WAVES for stack in wave)


def preview(
    stacks: Sequence[str],
    words: Sequence[str],
    environment: str,
    *,
    verb: Sequence[str] = ("preview",),
    to_stderr: bool = False,
) -> list[Plan]:
    """The engine's plans of `stacks`, previewed side by side. Raises CouldNotStart if one fails, Interrupted.

    `verb` is the CLI's command that plans.
    """
    typer.echo(f"previewing {' and '.join(stacks)}", err=to_stderr)
    with tempfile.TemporaryDirectory() as folder:
        logs = {stack: Path(folder, f"{stack}.jsonl") for stack in stacks}
        jobs = {
            stack: [*verb, "--stack", environment, *words, "--non-interactive", "--event-log", str(log)]
            for stack, log in logs.items()
        }
        statuses = pulumi_cli.side_by_side(jobs, lambda _, line: typer.echo(line, err=to_stderr))
        if failed := [stack for stack, status in statuses.items() if status]:
            raise CouldNotStart(f"the {verb[0]} of {' and '.join(failed)} failed; fix the cause and run it again")
        return [plan.read(stack, log) for stack, log in logs.items()]


def run(
    words: Sequence[str],
    environment: str,
    *,
    doing: str,
    again: str,
    yes: bool,
    waves: Waves = WAVES,
    between: Callable[[], None] | None = None,
) -> None:
    """Run the CLI with `words` for every stack, wave by wave. `between` runs after each wave but the last.

    A stack whose lock was left by a process that has ended is unlocked and run again. Raises Incomplete, Interrupted.
    """
    for number, wave in enumerate(waves):
        remaining = [stack for later in waves[number + 1 :] for stack in later]
        typer.echo(f"{doing} {' and '.join(wave)}" + (f", then {' and '.join(remaining)}" if remaining else ""))
        began = time.monotonic()
        try:
            failed, locked = _run_wave(wave, words, environment)
            if locked and len(locked) == len(failed):
                locks.remove_stale(locked, environment, yes=yes)
                failed, _ = _run_wave([lock.stack for lock in locked], words, environment)
        except Interrupted as error:
            raise Interrupted(error.number, f"{error}: {again}{_not_reached(remaining)}") from error
        if failed:
            raise Incomplete(
                f"{' and '.join(failed)} failed{_not_reached(remaining)}; fix the cause, then continue with {again}"
            )
        typer.echo(f"{' and '.join(wave)} took {time.monotonic() - began:.0f} s")
        if between and remaining:
            between()


def _run_wave(wave: Sequence[str], words: Sequence[str], environment: str) -> tuple[list[str], list[Lock]]:
    """The stacks that failed, and the locks that were the cause."""
    lines: dict[str, list[str]] = defaultdict(list)

    def show(stack: str, line: str) -> None:
        lines[stack].append(line)
        typer.echo(line)

    command = [words[0], "--stack", environment, *words[1:], "--yes", "--non-interactive"]
    statuses = pulumi_cli.side_by_side(dict.fromkeys(wave, command), show)
    for stack, status in statuses.items():
        typer.echo(f"{stack}: {'done' if status == 0 else f'failed with status {status}'}")
    failed = [stack for stack, status in statuses.items() if status]
    return failed, [lock for stack in failed if (lock := Lock.of(stack, lines[stack])) is not None]


def _not_reached(stacks: Sequence[str]) -> str:
    return f"; {' and '.join(stacks)} was not touched" if stacks else ""
