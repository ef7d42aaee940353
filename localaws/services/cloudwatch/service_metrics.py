"""Metrics that AWS services publish, as far as our alarms read them; ministack publishes Lambda's only.

Network load balancers (healthy and unhealthy targets), Route 53 (health checks, in us-east-1 as on AWS) and SQS
(waiting messages). Not published: metrics of API Gateway, application load balancers, databases, replication, backups.
"""

import logging
from collections.abc import Iterator
from typing import NamedTuple

from localaws import emulator
from localaws.core.clock import Clock
from localaws.core.outages import Outages
from localaws.services.component import BackgroundTask
from localaws.services.elb.deployed import snapshot
from localaws.services.elb.target_health import State, TargetHealth
from localaws.services.route53.health_checks import HealthChecks

# AWS seconds. Services report once a minute; more often here, so that delays leave no minute without.
_INTERVAL = 20.0
_SHORTEST_INTERVAL = 0.1  # seconds of this machine, however fast AWS time runs
_ROUTE_53_REGION = "us-east-1"

logger = logging.getLogger(__name__)


class Metric(NamedTuple):
    account: str
    region: str
    namespace: str
    name: str
    value: float
    dimensions: dict[str, str]


class ServiceMetrics(BackgroundTask):
    """A lost region reports nothing: its CloudWatch is lost with it."""

    def __init__(
        self, clock: Clock, outages: Outages, target_health: TargetHealth, health_checks: HealthChecks
    ) -> None:
        self._clock = clock
        self._outages = outages
        self._target_health = target_health
        self._health_checks = health_checks

    async def run(self) -> None:
        while True:
            try:
                for metric in (*self._targets(), *self._checks(), *self._queues()):
                    if not self._outages.is_lost(metric.region):
                        emulator.cloudwatch.record_metric(*metric)
            except Exception:
                logger.exception("event=service_metrics_failed")
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
                    continue  # reported only while targets are registered
                for name, state in (("HealthyHostCount", State.HEALTHY), ("UnHealthyHostCount", State.UNHEALTHY)):
                    count = float(states.count(state))
                    yield Metric(balancer.account, balancer.region, "AWS/NetworkELB", name, count, dimensions)

    def _checks(self) -> Iterator[Metric]:
        """The status of health checks [R53-4]."""
        for account, record in emulator.route53.health_check_records():
            healthy = float(self._health_checks.is_healthy(record["id"]))
            dimensions = {"HealthCheckId": record["id"]}
            yield Metric(account, _ROUTE_53_REGION, "AWS/Route53", "HealthCheckStatus", healthy, dimensions)

    def _queues(self) -> Iterator[Metric]:
        """Depth and age of queues [SQS-1]."""
        for account, region, queue, waiting in emulator.cloudwatch.waiting_messages():
            name = "ApproximateNumberOfMessagesVisible"
            yield Metric(account, region, "AWS/SQS", name, float(waiting), {"QueueName": queue})
