"""Metrics that AWS services report by themselves and that decide about alarms here; ministack has Lambda's only.

Network load balancers (healthy and unhealthy targets), Route 53 (health checks, in us-east-1 as on AWS) and SQS
(waiting messages). Others stay silent: API Gateway, application load balancers, databases, replication, backups.
"""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from localaws import emulator
from localaws.core.clock import Clock
from localaws.core.control import Control
from localaws.core.outages import Gate
from localaws.services.elb.deployed import snapshot
from localaws.services.elb.target_health import State, TargetHealth
from localaws.services.route53.health_checks import HealthChecks

# AWS seconds. Services report once a minute; oftener here, so that no minute goes without whatever keeps the machine.
_INTERVAL = 20.0
_SHORTEST_INTERVAL = 0.1  # seconds of this machine, however fast AWS time runs
_ROUTE_53_REGION = "us-east-1"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Metric:
    account: str
    region: str
    namespace: str
    name: str
    value: float
    dimensions: dict[str, str]


class ServiceMetrics:
    """A part of the server. A lost region reports nothing: its CloudWatch is lost with it."""

    def __init__(self, clock: Clock, gate: Gate, target_health: TargetHealth, health_checks: HealthChecks) -> None:
        self._clock = clock
        self._gate = gate
        self._target_health = target_health
        self._health_checks = health_checks
        self._task: asyncio.Task[None] | None = None

    def install(self, control: Control) -> None:
        """There is nothing to hook and nothing to show: CloudWatch shows it."""

    async def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="service-metrics")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            try:
                for metric in (*self._targets(), *self._checks(), *self._queues()):
                    if not self._gate.is_lost(metric.region):
                        emulator.cloudwatch.record_metric(
                            metric.account,
                            metric.region,
                            metric.namespace,
                            metric.name,
                            metric.value,
                            metric.dimensions,
                        )
            except Exception:
                logger.exception("services could not report their metrics")
            await self._clock.sleep(_INTERVAL, least=_SHORTEST_INTERVAL)

    def _targets(self) -> Iterator[Metric]:
        """Healthy and unhealthy targets of NLBs [NLB-5]."""
        deployed = snapshot()
        for balancer in deployed.load_balancers.values():
            if balancer.kind != "network":
                continue
            for group in deployed.groups_of.get(balancer.arn, ()):
                states = [self._target_health.health(target).state for target in deployed.targets.get(group, ())]
                dimensions = {
                    "LoadBalancer": balancer.arn.partition(":loadbalancer/")[2],
                    "TargetGroup": group.rpartition(":")[2],
                }
                if not states:
                    continue  # reported while targets are registered
                for name, state in (("HealthyHostCount", State.HEALTHY), ("UnHealthyHostCount", State.UNHEALTHY)):
                    yield Metric(
                        account=balancer.account,
                        region=balancer.region,
                        namespace="AWS/NetworkELB",
                        name=name,
                        value=float(states.count(state)),
                        dimensions=dimensions,
                    )

    def _checks(self) -> Iterator[Metric]:
        """The status of health checks [R53-4]."""
        for account, record in emulator.route53.health_check_records():
            yield Metric(
                account=account,
                region=_ROUTE_53_REGION,
                namespace="AWS/Route53",
                name="HealthCheckStatus",
                value=float(self._health_checks.is_healthy(record["id"])),
                dimensions={"HealthCheckId": record["id"]},
            )

    def _queues(self) -> Iterator[Metric]:
        """Depth and age of queues [SQS-1]."""
        for account, region, queue, waiting in emulator.cloudwatch.waiting_messages():
            yield Metric(
                account=account,
                region=region,
                namespace="AWS/SQS",
                name="ApproximateNumberOfMessagesVisible",
                value=float(waiting),
                dimensions={"QueueName": queue},
            )
