"""How a load balancer probes a target: where it connects, what it asks, what it takes for an answer."""

import ipaddress
import time
from collections.abc import Callable
from functools import cache

from localaws import hooks
from localaws.clock import Clock
from localaws.fronts.deployed import Deployed, Target, TargetGroup
from localaws.fronts.probe import Failure, HttpProbe, Outcome, patience, probe_http, probe_tcp

# AWS names it for Lambda [ALB-2]; instances see the same.
USER_AGENT = "ELB-HealthChecker/2.0"


def local_address(host: str, port: int) -> tuple[str, int] | None:
    """Where an IP target is on this machine. Only loopback is: an address of a VPC belongs to nobody here."""
    try:
        return (host, port) if ipaddress.ip_address(host).is_loopback else None
    except ValueError:  # an instance id
        return None


@cache
def matches(matcher: str) -> Callable[[int], bool]:
    """Whether a status is among codes such as `200,301-302` (API ElasticLoadBalancingv2.Matcher)."""
    accepted: set[int] = set()
    for part in matcher.split(","):
        first, _, last = part.strip().partition("-")
        accepted.update(range(int(first), int(last or first) + 1))
    return accepted.__contains__


class Prober:
    """Probes targets through the same fronts as traffic. `address_of(load balancer ARN, port)` knows them."""

    def __init__(self, clock: Clock, address_of: Callable[[str, int], tuple[str, int] | None]) -> None:
        self._clock = clock
        self._address_of = address_of

    async def probe(self, target: Target, group: TargetGroup, deployed: Deployed) -> Outcome:
        check = group.health_check
        seconds = patience(self._clock, check.timeout)
        if group.target_type == "lambda":
            started = time.monotonic()
            status = await hooks.elb_traffic.invoke_lambda_target(target.id, group.arn, check.path, USER_AGENT)
            if time.monotonic() - started > seconds:
                return Outcome(Failure.TIMEOUT, detail="the function took too long")
            accepted = matches(check.matcher)(status)
            return Outcome(None if accepted else Failure.STATUS, status)
        port = target.port if check.port == "traffic-port" else int(check.port)
        find = self._address_of if group.target_type == "alb" else local_address
        address = find(target.id, port)
        if address is None:
            return Outcome(Failure.CONNECTION, detail=f"nothing is at port {port} of {target.id} on this machine")
        if check.protocol == "TCP":
            return await probe_tcp(address, seconds)
        # "The Host header contains the IP address of the load balancer node and the listener port"
        # [NLB-6]; the node has none of its own here.
        asked = HttpProbe(
            address=address,
            host=f"127.0.0.1:{self._listener_port(group, deployed)}",
            path=check.path,
            user_agent=USER_AGENT,
            accepts=matches(check.matcher),
            tls=check.protocol == "HTTPS",
        )
        return await probe_http(asked, seconds)

    @staticmethod
    def _listener_port(group: TargetGroup, deployed: Deployed) -> int:
        ports = (listener.port for listener in deployed.listeners.values() if group.arn in listener.forwards_to)
        return min(ports, default=group.port)
