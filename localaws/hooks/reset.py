"""Forgetting everything, for tests."""

import asyncio


def reset_emulator() -> None:
    """Forget all state of all accounts and regions, Lambda workers included."""
    from ministack import app

    app._reset_all_state()


def main_loop() -> asyncio.AbstractEventLoop:
    """The event loop that serves the emulator's calls."""
    from ministack import app

    loop: asyncio.AbstractEventLoop = app._MAIN_LOOP
    return loop
