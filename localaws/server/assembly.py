"""Which parts a server has. They are imported when they are chosen: a bare server has no use for the others."""

from dataclasses import dataclass

from localaws.core.control import Control
from localaws.services.part import Machine, Part


@dataclass(frozen=True)
class Still:
    """A part that answers calls and does nothing by itself."""

    part: Part

    def install(self, control: Control) -> None:
        self.part.install(control)

    async def start(self) -> None:
        """Nothing begins."""

    async def stop(self) -> None:
        """Nothing was begun."""


def no_parts(_machine: Machine) -> list[Part]:
    """The emulator and replication alone."""
    return []


def still_parts(machine: Machine) -> list[Part]:
    """Every control plane, and nothing else: no traffic, no probe, no schedule, no database, no alarm that
    changes its state."""
    from localaws.services.rds.part import DatabaseNames

    return [DatabaseNames(), *(Still(part) for part in _answering(machine))]


def standard_parts(machine: Machine) -> list[Part]:
    """All of them, in the order in which they start. Loaded here, since a bare server has no use for them."""
    from localaws.services.rds.part import AuroraPart

    return [AuroraPart(machine), *_answering(machine)]


def _answering(machine: Machine) -> list[Part]:
    from localaws.server.control_planes import ControlPlanes
    from localaws.server.traffic import Traffic
    from localaws.server.traffic_part import TrafficPart
    from localaws.services.cloudwatch.alarms import Alarms
    from localaws.services.cloudwatch.service_metrics import ServiceMetrics

    traffic = Traffic(
        machine.clock,
        machine.gate,
        machine.http_port,
        client_region=machine.gate.regions[0],
        saturation=machine.saturation,
    )
    control_planes = ControlPlanes(machine.replication, traffic.health_checks.is_healthy)
    metrics = ServiceMetrics(machine.clock, machine.gate, traffic.target_health, traffic.health_checks)
    alarms = Alarms(machine.clock, machine.gate)
    return [control_planes, TrafficPart(machine.clock, traffic), metrics, alarms]
