"""Components of the server process beside the emulator: installed first, then started, and stopped in reverse order."""

import asyncio
from abc import ABC, abstractmethod

from localaws.core.control import Control


class Component:
    """Defines nothing; subclasses define what they need."""

    def install(self, control: Control) -> None:
        """Patch the emulator and register status sections and addresses; nothing runs yet."""

    async def start(self) -> None:
        """Begin, in the server's event loop."""

    async def stop(self) -> None:
        """End everything that was begun."""


class BackgroundTask(Component, ABC):
    """A component with one task in the server's event loop."""

    _task: asyncio.Task[None] | None = None

    @abstractmethod
    async def run(self) -> None:
        """Run until cancelled."""

    async def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self.run(), name=type(self).__name__)

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
