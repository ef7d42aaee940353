"""What a drill looks at. Nothing here changes anything: a look is taken, and expectations are judged on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drill.record import Recent
from drill.site import Site
from shared.places import Place


class ProbeError(RuntimeError):
    """The system could not be looked at."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class RegionStatus(_Model):
    outage: dict[str, Any] | None = None
    refused: dict[str, int] = Field(default_factory=dict)  # by what was called


class TargetStatus(_Model):
    region: str
    load_balancer: str = ""
    target_group: str
    state: str
    reason: str | None = None


class HealthCheckStatus(_Model):
    id: str
    fqdn: str | None = None
    healthy: bool


class ReplicationStatus(_Model):
    backlog: dict[str, int] = Field(default_factory=dict)  # writes that wait for the region


class WriterInterval(_Model):
    """A time in which a database took writes. Unix time; `until` is None while it does."""

    since: float
    until: float | None = None


class DatabaseStatus(_Model):
    """One region's member of the global database."""

    region: str
    cluster: str = ""
    role: str = ""  # writer or reader
    running: bool = False
    switching: str | None = None
    problem: str | None = None
    lag_seconds: float | None = None  # AWS seconds, of a reader
    url: str | None = Field(default=None, repr=False)
    writer_intervals: tuple[WriterInterval, ...] = ()


class WorkflowStatus(_Model):
    """One run of a state machine."""

    machine: str  # the state machine's name, of which `failover` or `failback` is the first word
    region: str
    name: str
    status: str
    started: float | None = None  # Unix time
    ended: float | None = None

    @property
    def kind(self) -> str:
        return self.machine.partition("-")[0]

    @property
    def is_running(self) -> bool:
        return self.status == "RUNNING"


class Status(_Model):
    """One answer of the control API's `/status`."""

    regions: dict[str, RegionStatus] = Field(default_factory=dict)
    targets: tuple[TargetStatus, ...] = ()
    health_checks: tuple[HealthCheckStatus, ...] = ()
    replication: ReplicationStatus = ReplicationStatus()
    databases: tuple[DatabaseStatus, ...] = ()
    workflows: tuple[WorkflowStatus, ...] = ()
    fenced: tuple[str, ...] = ()  # regions; the control API does not tell, a deployed environment's records do

    @property
    def writer(self) -> DatabaseStatus | None:
        """The member that RDS calls the writer."""
        return next((each for each in self.databases if each.role == "writer"), None)

    def refused(self, region: str) -> dict[str, int]:
        """Calls refused on behalf of `region` so far, by what was called."""
        return self.regions[region].refused if region in self.regions else {}

    def targets_in(self, region: str) -> list[TargetStatus]:
        """Targets whose health is looked at: `unused` ones get no traffic, of `unavailable` ones the check is off."""
        return [
            target
            for target in self.targets
            if target.region == region and target.state not in ("unused", "unavailable")
        ]


async def status(client: httpx.AsyncClient, control: str) -> Status:
    """The control API's view. Raises ProbeError when it does not answer as promised."""
    try:
        response = await client.get(f"{control}/status")
        response.raise_for_status()
        return Status.model_validate_json(response.content)
    except (httpx.HTTPError, ValidationError) as error:
        raise ProbeError(f"the control API's status cannot be read: {type(error).__name__}: {error}") from error


@dataclass(frozen=True, kw_only=True)
class HealthSettings:
    """The deployed health check of a target group. `interval` is AWS seconds."""

    region: str
    interval: float
    unhealthy_threshold: int
    healthy_threshold: int

    @property
    def until_unhealthy(self) -> float:
        """AWS seconds of failing probes after which a target is out of service."""
        return self.interval * self.unhealthy_threshold

    @property
    def until_healthy(self) -> float:
        return self.interval * self.healthy_threshold


def health_settings(elbv2: Any, target_group_arn: str, region: str) -> HealthSettings:
    """As deployed, not as configured. Raises botocore's ClientError for a group that is not there."""
    [group] = elbv2.describe_target_groups(TargetGroupArns=[target_group_arn])["TargetGroups"]
    return HealthSettings(
        region=region,
        interval=float(group["HealthCheckIntervalSeconds"]),
        unhealthy_threshold=int(group["UnhealthyThresholdCount"]),
        healthy_threshold=int(group["HealthyThresholdCount"]),
    )


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is known at one moment: the system's status and what clients have lately been told."""

    status: Status = field(default_factory=Status)
    recent: Recent = field(default_factory=Recent)
    rate: float = 0.0  # payments offered a second; 0 once the load has stopped
    regions: Mapping[Place, str] = field(default_factory=dict)
    speed: float = 1.0
    acknowledged: int = 0  # payments of this run
    posted: int | None = None  # of this run in the writer's ledger; None if nobody asked or it does not answer
    before: frozenset[str] = frozenset()  # names of the workflow runs that there were when this run began
    at: float = 0.0  # Unix time
    gathered: Mapping[str, Any] = field(default_factory=dict)  # what expectations asked for themselves, by statement


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Whether an expectation held, and the evidence either way."""

    met: bool
    evidence: str


class Expectation(Protocol):
    """Something that can be true of a look."""

    @property
    def statement(self) -> str: ...

    def check(self, look: Look) -> Finding: ...


@runtime_checkable
class Gathers(Protocol):
    """An expectation about what no status tells: it asks AWS itself, and finds the answer in the look."""

    @property
    def statement(self) -> str: ...

    def gather(self, site: Site) -> Any:
        """Blocks. Raises ProbeError."""


@dataclass(frozen=True)
class AcceptedAsOffered:
    """Nothing failed lately, and as much came back as was sent."""

    share: float = 0.9  # a short window cuts off requests at both ends

    @property
    def statement(self) -> str:
        return "payments are accepted at the rate offered, none fails"

    def check(self, look: Look) -> Finding:
        evidence = f"{look.recent.ok:.1f}/s accepted of {look.rate:g}/s offered, {look.recent.failed:.1f}/s failed"
        return Finding(met=look.recent.ok >= self.share * look.rate and not look.recent.failed, evidence=evidence)


@dataclass(frozen=True)
class TargetsHealthy:
    """Every target of each region's load balancer is in service."""

    @property
    def statement(self) -> str:
        return "targets are healthy in both regions"

    def check(self, look: Look) -> Finding:
        parts = [self._region(look, region) for region in look.regions.values()]
        return Finding(met=all(part.met for part in parts), evidence=", ".join(part.evidence for part in parts))

    def _region(self, look: Look, region: str) -> Finding:
        states = [target.state for target in look.status.targets_in(region)]
        healthy = states.count("healthy")
        return Finding(met=bool(states) and healthy == len(states), evidence=f"{region} {healthy} of {len(states)}")


@dataclass(frozen=True)
class ServedBy:
    """All answers come from one place. The clients' own word for it: what the answers say."""

    place: Place

    @property
    def statement(self) -> str:
        return f"the accelerator sends clients to the {self.place} region"

    def check(self, look: Look) -> Finding:
        evidence = ", ".join(f"{region} {rate:.1f}/s" for region, rate in sorted(look.recent.by_region.items()))
        return Finding(
            met=set(look.recent.by_region) == {look.regions[self.place]}, evidence=evidence or "no answer lately"
        )


@dataclass(frozen=True)
class ReplicationKeepsUp:
    """No more writes wait for a region than replication is usually behind; without load, none."""

    seconds: float = 2.0  # of the offered rate; DynamoDB is usually below one [DYNAMODB-4]

    @property
    def statement(self) -> str:
        return "replication keeps up"

    def check(self, look: Look) -> Finding:
        waiting = {region: count for region, count in look.status.replication.backlog.items() if count}
        evidence = ", ".join(f"{count} writes wait for {region}" for region, count in sorted(waiting.items()))
        met = all(count <= look.rate * self.seconds for count in waiting.values())
        return Finding(met=met, evidence=evidence or "no write waits")


def unmet(expectations: Sequence[Expectation], look: Look) -> list[str]:
    """What does not hold, each with its evidence."""
    findings = [(expectation, expectation.check(look)) for expectation in expectations]
    return [f"{expectation.statement}: {finding.evidence}" for expectation, finding in findings if not finding.met]
