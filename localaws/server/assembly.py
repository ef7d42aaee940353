"""The components of a server with its services. Imported by servers that have any: it loads every service."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from localaws import emulator
from localaws.core.clock import Clock
from localaws.core.control import Control
from localaws.core.outages import Outages
from localaws.core.reaper import Reaper
from localaws.core.saturation import Saturation
from localaws.server import function_environment
from localaws.server.traffic import Traffic
from localaws.services import apigateway, ssm
from localaws.services.acm import CertificateAuthority
from localaws.services.backup import BackupApi
from localaws.services.cloudwatch.alarms import Alarms
from localaws.services.cloudwatch.service_metrics import ServiceMetrics
from localaws.services.component import Component
from localaws.services.ec2 import flow_logs, peering, vpc_endpoints
from localaws.services.eventbridge import EventBuses, EventEndpoints
from localaws.services.rds.component import AuroraDatabases, DatabaseNames
from localaws.services.replication import Replication
from localaws.services.ssm import ParameterEvents
from localaws.services.wafv2 import WebAclLogs


def components(
    clock: Clock,
    outages: Outages,
    replication: Replication,
    reaper: Reaper,
    saturation: Saturation,
    *,
    http_port: int,
    data_directory: Path,
    nlb_tail: float,
    started: bool,
) -> list[Component]:
    """All components, in the order in which they start. Without `started` they serve calls and nothing else happens: no
    traffic, no probe, no schedule, no database, no alarm that changes its state."""
    traffic = Traffic(
        clock, outages, http_port, client_region=outages.regions[0], saturation=saturation, nlb_tail=nlb_tail
    )
    serving: list[Component] = [
        ControlPlanes(replication, traffic.health_checks.is_healthy),
        TrafficComponent(clock, traffic),
        ServiceMetrics(clock, outages, traffic.target_health, traffic.health_checks),
        Alarms(clock, outages),
    ]
    if not started:
        return [DatabaseNames(), *(ControlPlaneOnly(component) for component in serving)]
    return [AuroraDatabases(clock, outages, data_directory, reaper), *serving]


class ControlPlaneOnly(Component):
    """A component that serves calls and is never started."""

    def __init__(self, component: Component) -> None:
        self._component = component

    def install(self, control: Control) -> None:
        self._component.install(control)


class ControlPlanes(Component):
    """Additions and corrections to ministack's control planes, and the events between regions.

    `is_healthy(health check id)` is Route 53's state of a health check.
    """

    def __init__(self, replication: Replication, is_healthy: Callable[[str], bool]) -> None:
        self._buses = EventBuses(replication.send)
        self._endpoints = EventEndpoints(self._buses, is_healthy)
        self._parameters = ParameterEvents(replication.send)

    def install(self, _control: Control) -> None:
        peering.install()
        vpc_endpoints.install()
        flow_logs.install()
        emulator.logs.list_groups_while_streams_come()
        apigateway.install()
        CertificateAuthority().install()
        BackupApi().install()
        WebAclLogs().install()
        self._buses.install()
        self._endpoints.install()
        ssm.install()
        self._parameters.install()


class TrafficComponent(Component):
    """`Traffic`, which has a thread of its own, as a component."""

    def __init__(self, clock: Clock, traffic: Traffic) -> None:
        self._clock = clock
        self._traffic = traffic

    def install(self, control: Control) -> None:
        self._traffic.install()
        function_environment.install(self._clock, self._traffic)
        control.section("targets", self._traffic.target_health.status)
        control.section("health_checks", self._traffic.health_checks.status)
        control.section("accelerators", self._traffic.accelerator_ports.status)
        control.section("dns", lambda: {"address": self._traffic.dns_address})
        control.addresses(self._traffic.addresses)

    async def start(self) -> None:
        await asyncio.to_thread(self._traffic.start)

    async def stop(self) -> None:
        await asyncio.to_thread(self._traffic.stop)
