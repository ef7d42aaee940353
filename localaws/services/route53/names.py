"""Locates DNS names of AWS on this machine.

Each has fixed addresses that are routed nowhere: accelerators their two static ones (RFC 5737), everything else one of
198.18.0.0/15 (RFC 2544). `addresses()` maps them to loopback ports.
"""

import ipaddress
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

from localaws import emulator
from localaws.services.elb.deployed import LoadBalancer, snapshot
from localaws.services.elb.listeners import LoadBalancerPorts
from localaws.services.globalaccelerator.api import GlobalAccelerator
from localaws.services.globalaccelerator.data_plane import AcceleratorPorts

_EXECUTE_API = re.compile(r"(?P<name>.+)\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")


@dataclass(frozen=True)
class Destination:
    """The address and path on this machine for a name and a path. `tls` None: as the client chooses."""

    address: tuple[str, int]
    path: str
    tls: bool | None = None


class Names:
    """`follow_records(name)` gives the AWS name that a name of a hosted zone resolves to, or the name itself."""

    def __init__(
        self,
        http_port: int,
        accelerators: GlobalAccelerator,
        accelerator_ports: AcceleratorPorts,
        load_balancer_ports: LoadBalancerPorts,
        follow_records: Callable[[str], str],
    ) -> None:
        self._http_port = http_port
        self._accelerators = accelerators
        self._accelerator_fronts = accelerator_ports
        self._load_balancer_fronts = load_balancer_ports
        self._follow_records = follow_records
        self._free = ipaddress.IPv4Network("198.18.0.0/15").hosts()
        self._assigned: dict[str, str] = {}
        self._lock = threading.Lock()

    def addresses(self) -> dict[str, str]:
        """`name:port` and `IP address:port`, as AWS clients would connect, to `127.0.0.1:port`."""
        found: dict[str, str] = {}
        for record in tuple(self._accelerators.accelerators.values()):
            for listener in self._accelerators.listeners_of(record.arn):
                for port in listener.ports:
                    if address := self._accelerator_fronts.address(record.arn, port):
                        for name in (record.dns_name, *record.addresses):
                            found[f"{name}:{port}"] = "{}:{}".format(*address)
        deployed = snapshot()
        for load_balancer_listener in deployed.listeners.values():
            balancer, port = load_balancer_listener.load_balancer, load_balancer_listener.port
            if address := self._load_balancer_fronts.address(balancer, port):
                name = deployed.load_balancers[balancer].dns_name
                for known in (name, self._address_of(name)):
                    found[f"{known}:{port}"] = "{}:{}".format(*address)
        return found

    def ip_addresses(self, name: str) -> tuple[str, ...]:
        """The addresses in DNS of a name of AWS; none for one that is not deployed."""
        if accelerator := self.accelerator(name):
            return self._accelerators.accelerators[accelerator].addresses
        balancer = self.load_balancer(name)
        if balancer:
            return (self._address_of(balancer.dns_name),)
        api = _EXECUTE_API.fullmatch(name)
        return (self._address_of(name),) if api and emulator.route53.is_api_name(api["name"], api["region"]) else ()

    def accelerator(self, name: str) -> str | None:
        """ARN of the accelerator with a DNS name."""
        records = tuple(self._accelerators.accelerators.values())
        return next((record.arn for record in records if record.dns_name == name), None)

    def load_balancer(self, name: str) -> LoadBalancer | None:
        """The load balancer with a DNS name; AWS also answers it as `dualstack.<name>`."""
        plain = name.removeprefix("dualstack.")
        return next((found for found in snapshot().load_balancers.values() if found.dns_name.lower() == plain), None)

    def locate(self, name: str, port: int, path: str) -> Destination | None:
        """The destination of a request to a name or an address; None when nothing here has it."""
        known = self.addresses()
        for candidate in (name, self._follow_records(name)):
            if address := known.get(f"{candidate}:{port}"):
                host, _, local_port = address.rpartition(":")
                return Destination((host, int(local_port)), path)
            if api := _EXECUTE_API.fullmatch(candidate):
                return self._execute_api(api["name"], api["region"], path)
        try:
            return Destination((name, port), path) if ipaddress.ip_address(name).is_loopback else None
        except ValueError:
            return None

    def region_of(self, name: str) -> str | None:
        """The region of the load balancer or API that a name resolves to; None for what is not in one region."""
        for candidate in (name, self._follow_records(name)):
            if balancer := self.load_balancer(candidate):
                return balancer.region
            if api := _EXECUTE_API.fullmatch(candidate):
                return str(api["region"])
        return None

    def _execute_api(self, name: str, region: str, path: str) -> Destination | None:
        """The emulator's own HTTP address and a path: it serves APIs neither by host name nor over TLS."""
        address = ("127.0.0.1", self._http_port)
        if "." not in name:
            return Destination(address, f"/_aws/execute-api/{name}{path}", tls=False)
        mapped = emulator.route53.execute_api_of_domain(region, name, path)
        if mapped is None:
            return None
        api, stage, rest = mapped
        return Destination(address, f"/_aws/execute-api/{api}/{stage}{rest or '/'}", tls=False)

    def _address_of(self, name: str) -> str:
        with self._lock:
            if name not in self._assigned:
                self._assigned[name] = str(next(self._free))
            return self._assigned[name]
