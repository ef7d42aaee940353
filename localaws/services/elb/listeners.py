"""The data plane of load balancers: a port per listener, which follows the deployment and the outages of its region."""

import logging
import random
from collections.abc import Callable
from functools import partial

from localaws import emulator
from localaws.core.clock import Clock
from localaws.core.outages import Outage, Outages
from localaws.net.port import Port
from localaws.net.proxy import Proxy, Route
from localaws.services.elb.alb import ApplicationPort, CertificateUnusable, server_context
from localaws.services.elb.deployed import Deployed, Listener, LoadBalancer, Target
from localaws.services.elb.target_health import local_address

logger = logging.getLogger(__name__)

LEAST_IDLE_SECONDS = 5.0  # of this machine: a client does not get faster because the clock does

Key = tuple[str, int]  # ARN of a load balancer, port
Served = tuple[str, str, emulator.acm.CertificateMaterial | None]  # protocol, TLS policy, certificate


class LoadBalancerPorts:
    """One port per listener of each load balancer. Lives on the traffic loop; `address` is thread-safe."""

    def __init__(self, clock: Clock, outages: Outages, routable: Callable[[str], tuple[Target, ...]]) -> None:
        self._clock = clock
        self._outages = outages
        self._routable = routable
        self._deployed: Deployed | None = None
        self._listeners: dict[Key, Listener] = {}
        self._ports: dict[Key, Port] = {}
        self._certificates: dict[Key, Served] = {}
        self._refused: dict[Key, Served | str] = {}  # listeners without a port, and the reason

    def address(self, load_balancer: str, port: int) -> tuple[str, int] | None:
        """The address of a load balancer's listener on this machine."""
        found = self._ports.get((load_balancer, port))
        return found.address if found else None

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
                self._network(key, listener)

    def apply(self, region: str, outage: Outage | None) -> None:
        """Let every port of `region` fail as the outage does, or recover."""
        for (load_balancer, _), port in self._ports.items():
            if _region(load_balancer) == region:
                port.apply(outage.kind if outage else None)

    def reset_target(self, target: Target) -> None:
        """AWS resets the connections of a target that turned unhealthy, unless the load balancer fails open."""
        if target in self._routable(target.group):
            return
        for port in self._ports.values():
            if isinstance(port, Proxy):
                port.reset_connections(_label(target))

    def close(self) -> None:
        for key in tuple(self._ports):
            self._close(key)

    def _close(self, key: Key) -> None:
        self._ports.pop(key).close()
        self._certificates.pop(key, None)
        self._refused.pop(key, None)

    def _open(self, key: Key, port: Port) -> None:
        self._ports[key] = port
        outage = self._outages.outage(_region(key[0]))
        port.apply(outage.kind if outage else None)

    def _network(self, key: Key, listener: Listener) -> None:
        if listener.protocol != "TCP":
            problem = f"{listener.protocol} listeners of network load balancers are not emulated"
            self._refuse(key, listener.protocol, problem)
            return
        on_refused = partial(self._outages.refuse, _region(key[0]), "data:nlb")
        self._open(key, Proxy("nlb", lambda _client: self._route(key), on_refused=on_refused))

    def _route(self, key: Key) -> Route | None:
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
        return next((Route(address, _label(target)) for target, address in found if address), None)

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
        port = self._ports.get(key)
        if not isinstance(port, ApplicationPort):
            port = ApplicationPort(self._outages, balancer, listener.port, lambda: self._idle_seconds(balancer))
            port.context = context
            self._open(key, port)
        port.context = context
        self._certificates[key] = now

    def _idle_seconds(self, balancer: LoadBalancer) -> float:
        return max(self._clock.real(balancer.idle_timeout), LEAST_IDLE_SECONDS)

    def _refuse(self, key: Key, served: Served | str, problem: str) -> None:
        """Log once why a listener has no port."""
        if self._refused.get(key) != served:
            self._refused[key] = served
            logger.error("event=listener_not_served: %s", problem)


def _label(target: Target) -> str:
    return f"{target.id}:{target.port}"


def _region(load_balancer: str) -> str:
    return load_balancer.split(":")[3]
