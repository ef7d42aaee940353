"""The status of an environment, as the control API of the embedded AWS gives it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


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
