"""Expectations: what a step waits for, and the observation that it is judged on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from drill.model.attempts import Recent
from drill.model.status import Status
from shared.deployment import Deployment
from shared.places import Place


@dataclass(frozen=True, kw_only=True)
class HealthSettings:
    """The deployed health check of a target group."""

    region: str
    interval_aws_seconds: float
    unhealthy_threshold: int
    healthy_threshold: int

    @property
    def until_unhealthy(self) -> float:
        """AWS seconds of failing probes after which a target is out of service."""
        return self.interval_aws_seconds * self.unhealthy_threshold


def health_settings(elbv2: Any, target_group_arn: str, region: str) -> HealthSettings:
    """As deployed, not as configured. Raises botocore's ClientError for a group that is not there."""
    [group] = elbv2.describe_target_groups(TargetGroupArns=[target_group_arn])["TargetGroups"]
    return HealthSettings(
        region=region,
        interval_aws_seconds=float(group["HealthCheckIntervalSeconds"]),
        unhealthy_threshold=int(group["UnhealthyThresholdCount"]),
        healthy_threshold=int(group["HealthyThresholdCount"]),
    )


@dataclass(frozen=True, kw_only=True)
class Observation:
    """The observation of one moment: the system's status, and the latest responses to clients."""

    status: Status = field(default_factory=Status)
    recent: Recent = field(default_factory=Recent)
    rate: float = 0.0  # payments offered a second; 0 once the load has stopped
    regions: Mapping[Place, str] = field(default_factory=dict)
    speed: float = 1.0
    acknowledged: int = 0  # payments of this run
    posted: int | None = None  # of this run in the writer's ledger; None if it was not read, or does not answer
    before: frozenset[str] = frozenset()  # names of the workflow runs that there were when this run began
    at: float = 0.0  # Unix time
    gathered: Mapping[str, Any] = field(default_factory=dict)  # what expectations gathered, by statement


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Whether an expectation held, and the evidence either way."""

    met: bool
    evidence: str


class Expectation(Protocol):
    """A statement that an observation can meet."""

    @property
    def statement(self) -> str: ...

    def check(self, observed: Observation) -> Finding: ...


@runtime_checkable
class Gathers(Protocol):
    """An expectation about something that no status holds: it calls AWS, and reads the result from the observation."""

    @property
    def statement(self) -> str: ...

    def gather(self, deployment: Deployment) -> Any:
        """Blocks. Raises ProbeError."""


def unmet(expectations: Sequence[Expectation], observed: Observation) -> list[str]:
    """The expectations that do not hold, each with its evidence."""
    findings = [(expectation, expectation.check(observed)) for expectation in expectations]
    return [f"{expectation.statement}: {finding.evidence}" for expectation, finding in findings if not finding.met]
