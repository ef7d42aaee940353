"""What the deployed health checks allow a failover of traffic to take."""

from collections.abc import Sequence
from dataclasses import dataclass

from drill.model.expectation import HealthSettings

# A region may go just after a probe that passed, and a probe that hangs fails only at its time limit, which is an
# interval at most: detection takes up to twice the time of the failing probes.
DETECTION_FACTOR = 2
GRACE_AWS_SECONDS = 2.0
"""On top of failing probes: the time to act on them, and a client's own request."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Read from the deployed target groups, so that a slower health check cannot pass for a quick failover."""

    checks: Sequence[HealthSettings]
    speed: float

    @property
    def rto_aws_seconds(self) -> float:
        return DETECTION_FACTOR * max(check.until_unhealthy for check in self.checks) + GRACE_AWS_SECONDS

    @property
    def rto_seconds(self) -> float:
        """On this machine."""
        return self.rto_aws_seconds / self.speed
