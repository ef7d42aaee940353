"""The data plane of the embedded AWS in one object: accelerators, load balancers, health checks, DNS.

    traffic = Traffic(clock, outages, http_port=4566)  # the emulator's own HTTP port, for execute-api endpoints
    traffic.install()                               # once, before the emulator serves: Global Accelerator, patches
    traffic.start()                                 # a thread with a loop of its own; returns when DNS answers
    traffic.addresses()                             # {"<AWS DNS name or IP>:<port>": "127.0.0.1:<port>"}
    traffic.dns_address                             # "127.0.0.1:<port>", UDP and TCP
    traffic.resolve("pay.dr-dev.internal")          # the AWS name a record leads to just now
    traffic.status()                                # sections targets, health_checks, accelerators
    traffic.stop()                                  # every connection ends, every port is given back

A thread of its own, so that an emulator busy with one call does not stop traffic or fail a health check. The listening
ports follow what is deployed within POLL_SECONDS. `outages` decides what a lost region does to connections; health
checks ignore it.
`client_region` is the region the clients are near to.

While the machine is saturated, accelerators reset most new connections: a TLS handshake costs more than all the rest of
a request that is refused, and clients that connect again for each attempt would keep the loop busy with handshakes for
clients that are gone before they are answered. Open connections are served on, and probes do not come this way.
"""

import asyncio
import logging
import threading
from typing import Any

from localaws import emulator
from localaws.core.clock import Clock
from localaws.core.outages import Outage, Outages
from localaws.core.saturation import Saturation
from localaws.services.elb.deployed import snapshot
from localaws.services.elb.listeners import LoadBalancerPorts
from localaws.services.elb.target_health import Prober, State, TargetHealth
from localaws.services.elb.target_health_api import CANONICAL_ZONES, describe, target_group_defaults
from localaws.services.globalaccelerator.api import GlobalAccelerator
from localaws.services.globalaccelerator.data_plane import AcceleratorPorts
from localaws.services.lambda_.egress_proxy import EgressProxy
from localaws.services.route53.dns import DnsServer, Records
from localaws.services.route53.health_checks import EndpointProber, HealthChecks, observations
from localaws.services.route53.names import Names

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.25  # of this machine, between two reads of what is deployed
START_SECONDS = 10.0


class Traffic:
    def __init__(
        self,
        clock: Clock,
        outages: Outages,
        http_port: int,
        client_region: str = "us-east-1",
        saturation: Saturation | None = None,
        nlb_tail: float = 0.0,
    ) -> None:
        self._outages = outages
        self._saturation = saturation = saturation or Saturation()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._ending: asyncio.Event | None = None
        self._failure: BaseException | None = None
        self.global_accelerator = GlobalAccelerator(
            clock, lambda endpoint: self.target_health.load_balancer(endpoint).name
        )
        self.load_balancer_ports = LoadBalancerPorts(clock, outages, lambda group: self.target_health.routable(group))
        self.target_health = TargetHealth(
            clock,
            Prober(clock, self.load_balancer_ports.address),
            self.load_balancer_ports.reset_target,
            tail=nlb_tail,
        )
        self.accelerator_ports = AcceleratorPorts(
            outages,
            self.global_accelerator,
            client_region,
            self.load_balancer_ports.address,
            self._is_load_balancer_healthy,
            saturation,
        )
        self.records = Records(
            lambda check: self.health_checks.is_healthy(check),
            self._is_target_healthy,
            lambda name: self.names.ip_addresses(name),
        )
        self.names = Names(
            http_port, self.global_accelerator, self.accelerator_ports, self.load_balancer_ports, self.records.target
        )
        self.health_checks = HealthChecks(clock, EndpointProber(clock, self.names.locate))
        self.dns = DnsServer(self.records)
        self.egress_proxy = EgressProxy(outages.regions, self.names.locate, self._may_call)
        outages.on_change(self._region_changed)

    def install(self) -> None:
        """Register Global Accelerator and put our answers in place of the emulator's."""
        self.global_accelerator.install()
        emulator.elb.name_network_load_balancers()
        emulator.elb.answer_canonical_zones(CANONICAL_ZONES)
        emulator.elb.fill_target_group_defaults(target_group_defaults)
        emulator.elb.answer_target_health(lambda group, asked: describe(self.target_health, group, asked))
        emulator.elb.choose_targets(self._routable_instead)
        emulator.route53.answer_health_checks(
            lambda check, kind, what: observations(self.health_checks, check, kind, what)
        )

    def start(self) -> None:
        """Raises what stopped the thread from coming up, or TimeoutError."""
        self._thread = threading.Thread(target=self._run, name="localaws-traffic", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            raise TimeoutError(f"traffic is not up after {START_SECONDS:g} s")
        if self._failure:
            raise self._failure

    def stop(self) -> None:
        if self._loop and self._ending and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ending.set)
        if self._thread:
            self._thread.join(START_SECONDS)

    @property
    def dns_address(self) -> str:
        if self.dns.address is None:
            raise RuntimeError("traffic is not started")
        return "{}:{}".format(*self.dns.address)

    def addresses(self) -> dict[str, str]:
        return self.names.addresses()

    def resolve(self, name: str) -> str:
        """The DNS name of AWS that a name leads to just now, through failover records and aliases."""
        return self.records.target(name.rstrip(".").lower())

    def status(self) -> dict[str, Any]:
        return {
            "targets": self.target_health.status(),
            "health_checks": self.health_checks.status(),
            "accelerators": self.accelerator_ports.status(),
        }

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as problem:
            self._failure = problem
            logger.exception("event=traffic_stopped")
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        self.dns.start()
        await self.egress_proxy.start()
        watching = self._loop.create_task(self._saturation.watch())
        try:
            while not self._ending.is_set():
                self._follow()
                self._ready.set()
                await self._pause(self._ending)
        finally:
            watching.cancel()
            self.target_health.stop()
            self.health_checks.stop()
            self.accelerator_ports.close()
            self.load_balancer_ports.close()
            self.egress_proxy.stop()
            self.dns.stop()

    @staticmethod
    async def _pause(ending: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await ending.wait()
        except TimeoutError:
            return

    def _follow(self) -> None:
        """Follow what is deployed now. A failure is logged and the next round tries again: traffic goes on."""
        try:
            deployed = snapshot()
            self.load_balancer_ports.follow(deployed)
            self.accelerator_ports.follow()
            self.target_health.follow(deployed)
            self.health_checks.follow()
        except Exception:
            logger.exception("event=deployment_not_followed")

    def _region_changed(self, region: str, outage: Outage | None) -> None:
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.load_balancer_ports.apply, region, outage)

    def _may_call(self, region: str, name: str) -> bool:
        """Whether functions of `region` reach an endpoint by its name. How a lost region treats its callers is up
        to the ports of that region."""
        there = self.names.region_of(name)
        if there is None or self._outages.is_lost(region):
            return False
        return there == region or not (self._outages.is_isolated(region) or self._outages.is_cut(region, there))

    def _is_load_balancer_healthy(self, arn: str) -> bool:
        return self.target_health.load_balancer(arn) is State.HEALTHY

    def _is_target_healthy(self, name: str) -> bool:
        """Health an alias inherits: of a load balancer or an accelerator; any other service counts as healthy."""
        if balancer := self.names.load_balancer(name):
            return self._is_load_balancer_healthy(balancer.arn)
        if accelerator := self.names.accelerator(name):
            groups = [
                group
                for listener in self.global_accelerator.listeners_of(accelerator)
                for group in self.global_accelerator.groups_of(listener.arn)
            ]
            return any(self._is_load_balancer_healthy(endpoint.id) for group in groups for endpoint in group.endpoints)
        return True

    def _routable_instead(self, group: str, drawn: str) -> str | None:
        """A healthy target in place of the one drawn, when that one is not to be used."""
        labels = [f"{target.id}:{target.port}" for target in self.target_health.routable(group)]
        return drawn if drawn in labels else next(iter(labels), None)
