"""Observed values of an environment: its status, the rows of its ledger, control-plane calls of its functions."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
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
    """One answer of the control API's `/status`, or what AWS's own APIs give of the same."""

    regions: dict[str, RegionStatus] = Field(default_factory=dict)
    targets: tuple[TargetStatus, ...] = ()
    health_checks: tuple[HealthCheckStatus, ...] = ()
    replication: ReplicationStatus = ReplicationStatus()
    databases: tuple[DatabaseStatus, ...] = ()
    workflows: tuple[WorkflowStatus, ...] = ()
    fenced: tuple[str, ...] = ()  # regions, by the control records; empty in the control API's answer

    @property
    def writer(self) -> DatabaseStatus | None:
        """The member that RDS calls the writer."""
        return next((each for each in self.databases if each.role == "writer"), None)

    def refused(self, region: str) -> dict[str, int]:
        """Calls refused on behalf of `region` so far, by what was called."""
        return self.regions[region].refused if region in self.regions else {}

    def targets_in(self, region: str) -> list[TargetStatus]:
        """Targets whose health counts: `unused` ones get no traffic, and `unavailable` ones have their check off."""
        return [
            target
            for target in self.targets
            if target.region == region and target.state not in ("unused", "unavailable")
        ]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the ledger: a posted payment."""

    payment_id: str
    amount: Decimal
    currency: str
    debtor: str
    creditor: str
    reference: str
    content_hash: str
    posted_in: str  # region
    writer_epoch: int  # of the writer's control record under which it was posted
    posted_at: datetime  # by the database's clock
    announced: bool = True  # by an event


_EDGES = frozenset({"route53", "globalaccelerator"})


class ControlCall(_Model):
    """An operation of our own functions and how often it was called, as the embedded AWS counts it: during an outage
    none may go to the control plane of the lost region, of Route 53 or of Global Accelerator."""

    caller: str  # what kind of program called: function, workflow, or something outside
    region: str  # that was called
    service: str
    operation: str
    plane: str  # control or data
    count: int

    @property
    def is_edge(self) -> bool:
        """To a service whose control plane is in one region only."""
        return self.service in _EDGES

    @property
    def sentence(self) -> str:
        return f"{self.count} x {self.service} {self.operation} in {self.region} by {self.caller}"

    @property
    def is_ours(self) -> bool:
        """By a function or a workflow of the product, not by a tool from outside."""
        return self.caller != "outside"
