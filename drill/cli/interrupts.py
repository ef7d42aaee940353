"""Runs a drill to its end: rolls back on SIGINT or SIGTERM, and maps errors of the drill to exit codes."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from drill.model import errors
from shared.command_line import CouldNotStart, Incomplete, Inconclusive, Interrupted, Refused

Done = TypeVar("Done")


class RollbackIncomplete(Incomplete):
    prefix = "Rollback incomplete: "


class ChangeFailed(Refused):
    prefix = "FAILED, and every change was rolled back: "


@contextmanager
def drill_errors(interrupted: list[int]) -> Iterator[None]:
    """Raises CommandError for the errors of a run. `interrupted` is that of `until_done`."""
    try:
        yield
    except errors.CouldNotStart as error:
        raise CouldNotStart(str(error)) from error
    except errors.Inconclusive as error:
        raise Inconclusive(str(error)) from error
    except errors.RollbackIncomplete as error:
        raise RollbackIncomplete(str(error)) from error
    except errors.ActionError as error:
        raise ChangeFailed(str(error)) from error
    except (asyncio.CancelledError, KeyboardInterrupt) as error:
        number = interrupted[0] if interrupted else signal.SIGINT
        raise Interrupted(number, "Interrupted; every change was rolled back.") from error


async def until_done(work: Awaitable[Done], interrupted: list[int], print_line: Callable[[str], None]) -> Done:
    """The first SIGINT or SIGTERM cancels the run, which then rolls back; further ones are ignored.

    The signal's number is appended to `interrupted`.
    """
    task = asyncio.current_task()
    assert task is not None

    def interrupt(number: int) -> None:
        if not interrupted:
            interrupted.append(number)
            print_line("interrupted: rolling back")
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt, number)
    return await work
