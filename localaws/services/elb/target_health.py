"""Target health of Elastic Load Balancing: probes of every registered target in AWS time.

States and reasons as DescribeTargetHealth gives them (API ElasticLoadBalancingv2.TargetHealth). A new target needs one
passed check to be healthy, and the group's healthy threshold only to recover [ALB-7]. Left out: draining, anomaly
detection, passive checks.
"""

import asyncio
import ipaddress
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any

from localaws import emulator
from localaws.core.clock import Clock
from localaws.net.probe import Failure, HttpProbe, Outcome, probe_http, probe_tcp, timeout_seconds
from localaws.services.elb.deployed import Deployed, HealthCheck, Target, TargetGroup

logger = logging.getLogger(__name__)

# AWS documents it for Lambda [ALB-2]; instances get the same.
USER_AGENT = "ELB-HealthChecker/2.0"


def local_address(host: str, port: int) -> tuple[str, int] | None:
    """The address of an IP target on this machine: only loopback has one."""
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
    """Probes targets through the same ports as traffic, at `address_of(load balancer ARN, port)`."""

    def __init__(self, clock: Clock, address_of: Callable[[str, int], tuple[str, int] | None]) -> None:
        self._clock = clock
        self._address_of = address_of

    async def probe(self, target: Target, group: TargetGroup, deployed: Deployed) -> Outcome:
        check = group.health_check
        seconds = timeout_seconds(self._clock, check.timeout)
        if group.target_type == "lambda":
            started = time.monotonic()
            status = await emulator.elb.invoke_lambda_target(target.id, group.arn, check.path, USER_AGENT)
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
        probe = HttpProbe(
            address=address,
            host=f"127.0.0.1:{self._listener_port(group, deployed)}",
            path=check.path,
            user_agent=USER_AGENT,
            accepts=matches(check.matcher),
            tls=check.protocol == "HTTPS",
        )
        return await probe_http(probe, seconds)

    @staticmethod
    def _listener_port(group: TargetGroup, deployed: Deployed) -> int:
        ports = (listener.port for listener in deployed.listeners.values() if group.arn in listener.forwards_to)
        return min(ports, default=group.port)


class State(StrEnum):
    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNUSED = "unused"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Health:
    """Health of one target. `passes` and `failures` count the last checks in a row."""

    state: State
    reason: str = ""
    description: str = ""
    passes: int = 0
    failures: int = 0

    @property
    def routable(self) -> bool:
        """A target whose checks are disabled is used as if healthy."""
        return self.state in (State.HEALTHY, State.UNAVAILABLE)


INITIAL = Health(State.INITIAL, "Elb.InitialHealthChecking", "Initial health checks in progress")
NOT_IN_USE = Health(
    State.UNUSED, "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
)
NOT_REGISTERED = Health(State.UNUSED, "Target.NotRegistered", "Target is not registered to the target group")
NOT_CHECKED = Health(
    State.UNAVAILABLE, "Target.HealthCheckDisabled", "Health checks are disabled for this target group"
)


def after(health: Health, outcome: Outcome, check: HealthCheck) -> Health:
    """The health after one more check."""
    if outcome.passed:
        passes = health.passes + 1
        needed = 1 if health.state is State.INITIAL else check.healthy_threshold
        if health.state is State.HEALTHY or passes >= needed:
            return Health(State.HEALTHY, passes=passes)
        return replace(health, passes=passes, failures=0)
    failures = health.failures + 1
    if health.state is State.UNHEALTHY or failures >= check.unhealthy_threshold:
        return Health(State.UNHEALTHY, *_explained(outcome), failures=failures)
    return replace(health, passes=0, failures=failures)


def _explained(outcome: Outcome) -> tuple[str, str]:
    if outcome.failure is Failure.STATUS:
        return "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{outcome.status}]"
    if outcome.failure is Failure.TIMEOUT:
        return "Target.Timeout", "Request timed out"
    return "Target.FailedHealthChecks", "Health checks failed"


class TargetHealth:
    """Keeps one probing task per target in use. Lives on the traffic loop; may be read from any thread."""

    def __init__(
        self, clock: Clock, prober: Prober, on_unhealthy: Callable[[Target], None], *, tail: float = 0.0
    ) -> None:
        """`tail`: AWS seconds for which load balancers still use a target that became unhealthy."""
        self._clock = clock
        self._tail = tail
        self._used_until: dict[Target, float] = {}  # AWS time; of targets that became unhealthy
        self._prober = prober
        self._on_unhealthy = on_unhealthy
        self._deployed: Deployed | None = None
        self._health: dict[Target, Health] = {}
        self._tasks: dict[Target, asyncio.Task[None]] = {}

    def follow(self, deployed: Deployed) -> None:
        """Start and stop checks for what is deployed now."""
        self._deployed = deployed
        health = {target: self._unchecked(target, deployed) for group in deployed.targets.values() for target in group}
        for target in [target for target in self._health if target not in health]:
            self._stop(target)
            del self._health[target]
            self._used_until.pop(target, None)
        for target, fixed in health.items():
            if fixed is not None:
                self._stop(target)
                self._health[target] = fixed
            elif target not in self._tasks:
                self._health[target] = INITIAL
                self._tasks[target] = asyncio.get_running_loop().create_task(self._watch(target))

    def stop(self) -> None:
        for target in tuple(self._tasks):
            self._stop(target)

    def health(self, target: Target) -> Health:
        return self._health.get(target, INITIAL)

    def routable(self, group: str) -> tuple[Target, ...]:
        """The targets that get traffic: the healthy ones of a group, or all of them when none is healthy.

        "If all targets fail health checks at the same time in all enabled Availability Zones, the load balancer fails
        open" [NLB-6].
        """
        targets = self._deployed.targets.get(group, ()) if self._deployed else ()
        return tuple(target for target in targets if self._is_used(target)) or targets

    def load_balancer(self, arn: str) -> State:
        """Initial, healthy or unhealthy: a load balancer's health for Global Accelerator and Route 53.

        Each target group needs a healthy target; a group without any target is unhealthy [GA-2] (API
        Route53.AliasTarget).
        """
        deployed = self._deployed
        groups = deployed.groups_of.get(arn) if deployed else None
        if not deployed or not groups:
            return State.UNHEALTHY
        verdicts = [self._group(deployed.targets.get(group, ())) for group in groups]
        return next((state for state in (State.UNHEALTHY, State.INITIAL) if state in verdicts), State.HEALTHY)

    def status(self) -> list[dict[str, Any]]:
        """Every registered target, once per load balancer that uses its group."""
        deployed = self._deployed
        if deployed is None:
            return []
        return [
            {
                "region": deployed.target_groups[target.group].region,
                "load_balancer": balancer,
                "target_group": deployed.target_groups[target.group].name,
                "target": target.id,
                "port": target.port,
                "state": self.health(target).state.value,
                "reason": self.health(target).reason,
            }
            for targets in deployed.targets.values()
            for target in targets
            for balancer in [used.name for used in deployed.users_of(target.group)] or [""]
        ]

    def _group(self, targets: tuple[Target, ...]) -> State:
        healths = [self.health(target) for target in targets]
        if any(self._is_used(target) for target in targets):
            return State.HEALTHY
        return State.INITIAL if any(health.state is State.INITIAL for health in healths) else State.UNHEALTHY

    def _is_used(self, target: Target) -> bool:
        return self.health(target).routable or self._clock.now() < self._used_until.get(target, 0.0)

    def _unchecked(self, target: Target, deployed: Deployed) -> Health | None:
        """The health of a target that is not checked; None for one that is checked."""
        if not deployed.users_of(target.group):
            return NOT_IN_USE
        return None if deployed.target_groups[target.group].health_check.enabled else NOT_CHECKED

    def _stop(self, target: Target) -> None:
        if task := self._tasks.pop(target, None):
            task.cancel()

    async def _watch(self, target: Target) -> None:
        while True:
            started = self._clock.now()
            deployed = self._deployed
            if deployed is None or target.group not in deployed.target_groups:
                return
            group = deployed.target_groups[target.group]
            try:
                outcome = await self._prober.probe(target, group, deployed)
            except Exception as problem:
                logger.exception("event=target_probe_failed %s", target.id)
                outcome = Outcome(Failure.PROTOCOL, detail=str(problem))
            self._record(target, outcome, group.health_check)
            await self._clock.sleep(max(0.0, group.health_check.interval - (self._clock.now() - started)))

    def _record(self, target: Target, outcome: Outcome, check: HealthCheck) -> None:
        before = self._health[target]
        self._health[target] = now = after(before, outcome, check)
        if now.state is not before.state:
            logger.info("event=target_state %s:%d is %s %s", target.id, target.port, now.state.value, outcome.detail)
            if now.state is State.UNHEALTHY:
                if before.routable:
                    self._used_until[target] = self._clock.now() + self._tail
                self._on_unhealthy(target)
