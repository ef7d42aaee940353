"""Traffic as a part of the server process: what `parts.Part` asks for, around the thread-backed `Traffic`."""

import asyncio

from localaws.core.clock import Clock
from localaws.core.control import Control
from localaws.server import function_environment
from localaws.server.traffic import Traffic
from localaws.services.component import Component


class TrafficPart(Component):
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
