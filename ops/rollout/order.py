"""Rolling the three stacks out and back in their order: the regions side by side, then `global`; the reverse on the way
back. Neither Pulumi nor its backend knows this order [PULUMI-3], so it stands here."""

import time
from collections.abc import Callable, Sequence

import typer

from ops.cli.errors import Incomplete, Interrupted
from ops.rollout import pulumi_cli

WAVES: tuple[tuple[str, ...], ...] = (("primary", "secondary"), ("global",))
"""Each wave needs the one before it."""
STACKS = tuple(stack for wave in WAVES for stack in wave)

Words = Callable[[str], Sequence[str]]


def forward(words: Words, *, doing: str, again: str, waves: Sequence[Sequence[str]] = WAVES) -> None:
    """Run `words(stack)` for every stack in order. Raises Incomplete, Interrupted."""
    _run(waves, words, doing, again, None)


def backward(words: Words, *, doing: str, again: str, between: Callable[[], None] | None = None) -> None:
    """The same in reverse; `between` runs after each wave but the last."""
    _run(WAVES[::-1], words, doing, again, between)


def _run(
    waves: Sequence[Sequence[str]], words: Words, doing: str, again: str, between: Callable[[], None] | None
) -> None:
    for number, wave in enumerate(waves):
        left = [stack for later in waves[number + 1 :] for stack in later]
        typer.echo(f"{doing} {' and '.join(wave)}" + (f", then {' and '.join(left)}" if left else ""))
        began = time.monotonic()
        try:
            statuses = pulumi_cli.side_by_side({stack: words(stack) for stack in wave}, typer.echo)
        except Interrupted as error:
            raise Interrupted(error.number, f"{error}: {again}{_not_reached(left)}") from error
        for stack, status in statuses.items():
            typer.echo(f"{stack}: {'done' if status == 0 else f'failed with status {status}'}")
        if failed := [stack for stack, status in statuses.items() if status]:
            raise Incomplete(f"{' and '.join(failed)} failed{_not_reached(left)}; mend it, then go on with {again}")
        typer.echo(f"{' and '.join(wave)} took {time.monotonic() - began:.0f} s")
        if between and left:
            between()


def _not_reached(stacks: Sequence[str]) -> str:
    return f"; {' and '.join(stacks)} was not touched" if stacks else ""
