"""Asking a person before something is changed."""

import typer

from ops.cli.errors import CouldNotStart, Refused


def agree(what: str, word: str, *, yes: bool) -> None:
    """Say `what` is to be done, and go on only if the person types `word`, or has agreed before (`yes`).

    Raises Refused for any other answer, CouldNotStart when there is no one to answer.
    """
    typer.echo(what)
    if yes:
        return
    typer.echo(f"Type {word} to go on: ", nl=False)
    try:
        answer = input()
    except EOFError:
        raise CouldNotStart("confirmation needs a terminal; pass --yes (YES=1)") from None
    if answer.strip() != word:
        raise Refused(f"{answer.strip() or 'nothing'} is not {word}: nothing was changed")
