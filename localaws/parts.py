"""What runs beside the emulator in the server process: each part installs its hooks, starts, and stops."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from localaws.clock import Clock
from localaws.control import Control
from localaws.gate import Gate
from localaws.reaper import Reaper
from localaws.replication import Replication
from localaws.saturation import Saturation


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
