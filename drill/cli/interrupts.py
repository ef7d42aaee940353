"""Rolls back before exiting on SIGINT or SIGTERM."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

Done = TypeVar("Done")


async def until_done(work: Awaitable[Done], interrupted: list[int], say: Callable[[str], None]) -> Done:
    """Ctrl-C and SIGTERM cancel the run once, so that it can go its way back; further ones wait for that. Which one it
    was stands in `interrupted`."""
    task = asyncio.current_task()
    assert task is not None

    def interrupt(number: int) -> None:
        if not interrupted:
            interrupted.append(number)
            say("interrupted: going the way back")
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt, number)
    return await work
