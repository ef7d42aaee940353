"""What runs beside the emulator in the server process: each part installs its hooks, starts, and stops."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from localaws.clock import Clock
from localaws.control import Control
from localaws.gate import Gate
from localaws.reaper import Reaper
from localaws.replication import Replication


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What every part is given."""

    clock: Clock
    gate: Gate
    reaper: Reaper
    replication: Replication
    http_port: int
    data_directory: Path


class Part(Protocol):
    def install(self, control: Control) -> None:
        """Hook into the emulator and register status sections and addresses; nothing runs yet."""

    async def start(self) -> None:
        """Begin, in the server's event loop."""

    async def stop(self) -> None:
        """End everything that was begun."""


def standard_parts(machine: Machine) -> list[Part]:
    """All of them, in the order in which they start. Loaded here, since a bare server has no use for them."""
    from localaws.alarms import Alarms
    from localaws.aurora_part import AuroraPart
    from localaws.control_planes import ControlPlanes
    from localaws.service_metrics import ServiceMetrics
    from localaws.traffic import Traffic
    from localaws.traffic_part import TrafficPart

    traffic = Traffic(machine.clock, machine.gate, machine.http_port, client_region=machine.gate.regions[0])
    control_planes = ControlPlanes(machine.replication, traffic.health_checks.is_healthy)
    metrics = ServiceMetrics(machine.clock, machine.gate, traffic.target_health, traffic.health_checks)
    alarms = Alarms(machine.clock, machine.gate)
    return [control_planes, AuroraPart(machine), TrafficPart(traffic), metrics, alarms]
