"""How a command ends: 0 done, 1 refused or something was found, 2 could not start, 3 incomplete with what is left to
do; 130 and 143 after a signal."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import typer
from botocore.exceptions import BotoCoreError, ClientError

from shared.deployment import DeploymentError
from shared.pulumi_cli import PulumiError


class Ended(RuntimeError):
    """A command ends early. The message says why, and what to do."""

    status: ClassVar[int]


class Refused(Ended):
    """A person said no, or what was found forbids to go on."""

    status = 1


class CouldNotStart(Ended):
    """Nothing was changed: something is missing, or was asked for wrongly."""

    status = 2


class Incomplete(Ended):
    """Some of it was done; the message says what is left to do."""

    status = 3


class Interrupted(Ended):
    """A signal ended it; `number` is the signal's."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number


@contextmanager
def said() -> Iterator[None]:
    """Prints expected errors without a traceback and maps them to exit codes."""
    try:
        yield
    except Interrupted as error:
        raise _exit(128 + error.number, str(error)) from error
    except Ended as error:
        raise _exit(error.status, str(error)) from error
    except (DeploymentError, PulumiError) as error:
        raise _exit(CouldNotStart.status, str(error)) from error
    except (BotoCoreError, ClientError) as error:
        raise _exit(Incomplete.status, f"AWS refused or did not answer: {error}") from error
    except KeyboardInterrupt as error:
        raise _exit(128 + signal.SIGINT, "interrupted") from error


def _exit(status: int, message: str) -> typer.Exit:
    typer.secho(message, err=True, fg=typer.colors.RED, bold=True)
    return typer.Exit(status)
