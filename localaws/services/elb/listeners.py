"""The fronts of load balancers: opened when a listener appears, closed when it goes, told when a region is lost."""

import logging
import random
from collections.abc import Callable

from localaws import emulator
from localaws.core.clock import Clock
from localaws.core.outages import Gate, Outage
from localaws.net.forwarding import ForwardingPort, Way
from localaws.net.port import Port
from localaws.services.elb.alb import ApplicationPort, CertificateUnusable, server_context
from localaws.services.elb.deployed import Deployed, Listener, LoadBalancer, Target
from localaws.services.elb.target_health import local_address

logger = logging.getLogger(__name__)

LEAST_IDLE_SECONDS = 5.0  # of this machine: a client does not get faster because the clock does

Key = tuple[str, int]  # ARN of a load balancer, port
Served = tuple[str, str, emulator.acm.CertificateMaterial | None]  # protocol, TLS policy, certificate


class LoadBalancerFronts:
    """One port per listener of each load balancer. Lives on the traffic loop; any thread may ask for an `address`."""

    def __init__(self, clock: Clock, gate: Gate, routable: Callable[[str], tuple[Target, ...]]) -> None:
        self._clock = clock
        self._gate = gate
        self._routable = routable
        self._deployed: Deployed | None = None
        self._listeners: dict[Key, Listener] = {}
        self._ports: dict[Key, Port] = {}
        self._certificates: dict[Key, Served] = {}
        self._refused: dict[Key, Served | str] = {}  # listeners without a front, and what kept them from one

    def address(self, load_balancer: str, port: int) -> tuple[str, int] | None:
        """Where a load balancer's listener is on this machine."""
        front = self._ports.get((load_balancer, port))
        return front.address if front else None

    def follow(self, deployed: Deployed) -> None:
        self._deployed = deployed
        wanted = {(listener.load_balancer, listener.port): listener for listener in deployed.listeners.values()}
        self._listeners = wanted
        for key in [key for key in self._ports if key not in wanted]:
            self._close(key)
        for key, listener in wanted.items():
            if deployed.load_balancers[listener.load_balancer].kind == "application":
                self._application(key, listener, deployed)
            elif key not in self._ports:
                self._network(key, listener, deployed)

    def turn(self, region: str, outage: Outage | None) -> None:
        for front in self._ports.values():
            if front.region == region:
                front.turn(outage)

    def reset_target(self, target: Target) -> None:
        """AWS resets the connections of a target that turned unhealthy, unless the load balancer fails open."""
        if target in self._routable(target.group):
            return
        for front in self._ports.values():
            if isinstance(front, ForwardingPort):
                front.reset_label(_label(target))

    def close(self) -> None:
        for key in tuple(self._ports):
            self._close(key)

    def _close(self, key: Key) -> None:
        self._ports.pop(key).close()
        self._certificates.pop(key, None)
        self._refused.pop(key, None)

    def _open(self, key: Key, front: Port) -> None:
        self._ports[key] = front
        front.open()

    def _network(self, key: Key, listener: Listener, deployed: Deployed) -> None:
        if listener.protocol != "TCP":
            problem = f"{listener.protocol} listeners of network load balancers are not emulated"
            self._refuse(key, listener.protocol, problem)
            return
        region = deployed.load_balancers[listener.load_balancer].region
        self._open(key, ForwardingPort(self._gate, region, "nlb", lambda _client: self._target_of(key)))

    def _target_of(self, key: Key) -> Way | None:
        """A target of the listener that holds the port now, which need not be the one it was opened for."""
        listener = self._listeners.get(key)
        if not listener or not listener.forwards_to or not self._deployed:
            return None
        group = self._deployed.target_groups.get(listener.forwards_to[0])
        if group is None:
            return None
        targets = list(self._routable(group.arn))
        random.shuffle(targets)
        find = self.address if group.target_type == "alb" else local_address
        found = ((target, find(target.id, target.port)) for target in targets)
        return next((Way(address, _label(target)) for target, address in found if address), None)

    def _application(self, key: Key, listener: Listener, deployed: Deployed) -> None:
        """Open or renew an ALB listener; a renewed certificate or a change of protocol keeps the address."""
        balancer = deployed.load_balancers[listener.load_balancer]
        material = emulator.acm.certificate_material(listener.certificate) if listener.certificate else None
        now = (listener.protocol, listener.tls_policy, material)
        if now in (self._certificates.get(key), self._refused.get(key)):
            return
        context = None
        if listener.protocol == "HTTPS":
            try:
                context = server_context(listener.certificate or "", listener.tls_policy)
            except CertificateUnusable as problem:
                self._refuse(key, now, f"{balancer.name} port {listener.port}: {problem}")
                return
        front = self._ports.get(key)
        if not isinstance(front, ApplicationPort):
            front = ApplicationPort(self._gate, balancer, listener.port, lambda: self._idle_seconds(balancer))
            front.context = context
            self._open(key, front)
        front.context = context
        self._certificates[key] = now

    def _idle_seconds(self, balancer: LoadBalancer) -> float:
        return max(self._clock.real(balancer.idle_timeout), LEAST_IDLE_SECONDS)

    def _refuse(self, key: Key, served: Served | str, problem: str) -> None:
        """Say once why a listener has no front."""
        if self._refused.get(key) != served:
            self._refused[key] = served
            logger.error("%s", problem)


def _label(target: Target) -> str:
    return f"{target.id}:{target.port}"
