"""What runs beside the emulator in the server process: each part installs its hooks, starts, and stops."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from localaws.core.clock import Clock
from localaws.core.control import Control
from localaws.core.outages import Gate
from localaws.core.reaper import Reaper
from localaws.core.saturation import Saturation
from localaws.services.replication import Replication


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What every part is given."""

    clock: Clock
    gate: Gate
    reaper: Reaper
    replication: Replication
    http_port: int
    data_directory: Path
    saturation: Saturation


class Part(Protocol):
    def install(self, control: Control) -> None:
        """Hook into the emulator and register status sections and addresses; nothing runs yet."""

    async def start(self) -> None:
        """Begin, in the server's event loop."""

    async def stop(self) -> None:
        """End everything that was begun."""
