"""Which parts a server has. They are imported when they are chosen: a bare server has no use for the others."""

from dataclasses import dataclass
from pathlib import Path

from localaws.core.clock import Clock
from localaws.core.control import Control
from localaws.core.outages import Gate
from localaws.core.reaper import Reaper
from localaws.core.saturation import Saturation
from localaws.services.component import Component
from localaws.services.replication import Replication


@dataclass(frozen=True, kw_only=True)
class ServerContext:
    """What components are made from."""

    clock: Clock
    gate: Gate
    reaper: Reaper
    replication: Replication
    http_port: int
    data_directory: Path
    saturation: Saturation


class ControlPlaneOnly(Component):
    """A component that serves calls and is never started."""

    def __init__(self, component: Component) -> None:
        self._component = component

    def install(self, control: Control) -> None:
        self._component.install(control)


def no_parts(_context: ServerContext) -> list[Component]:
    """The emulator and replication alone."""
    return []


def still_parts(context: ServerContext) -> list[Component]:
    """Every control plane, and nothing else: no traffic, no probe, no schedule, no database, no alarm that
    changes its state."""
    from localaws.services.rds.component import DatabaseNames

    return [DatabaseNames(), *(ControlPlaneOnly(part) for part in _answering(context))]


def standard_parts(context: ServerContext) -> list[Component]:
    """All of them, in the order in which they start. Loaded here, since a bare server has no use for them."""
    from localaws.services.rds.component import AuroraDatabases

    return [AuroraDatabases(context.clock, context.gate, context.data_directory, context.reaper), *_answering(context)]


def _answering(context: ServerContext) -> list[Component]:
    from localaws.server.control_planes import ControlPlanes
    from localaws.server.traffic import Traffic
    from localaws.server.traffic_part import TrafficPart
    from localaws.services.cloudwatch.alarms import Alarms
    from localaws.services.cloudwatch.service_metrics import ServiceMetrics

    traffic = Traffic(
        context.clock,
        context.gate,
        context.http_port,
        client_region=context.gate.regions[0],
        saturation=context.saturation,
    )
    control_planes = ControlPlanes(context.replication, traffic.health_checks.is_healthy)
    metrics = ServiceMetrics(context.clock, context.gate, traffic.target_health, traffic.health_checks)
    alarms = Alarms(context.clock, context.gate)
    return [control_planes, TrafficPart(context.clock, traffic), metrics, alarms]
