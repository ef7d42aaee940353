"""Input and output of each operation. Times are ISO 8601 in UTC, durations are AWS seconds; `at`: when it finished."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from common.control.rules import Vouched

Machine = Literal["failover", "failback"]
Method = Literal["none", "switchover", "promotion"]
"""The method of a change of writer: none, without loss, or with the loss of what was not replicated."""


class Model(BaseModel):
    """Base class: immutable, unknown fields are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoInput(Model):
    """The input of an operation without fields."""


class Request(Model):
    """The input of an execution, from a sentinel or an operator."""

    region: str  # failover: the lost region; failback: the region to return to service
    epoch: int | None = None  # of that region's control record at the decision; None: any
    by: str = "operator"
    reason: str = ""
    # planned: both regions are alive, so no data is lost; return: a failback that leaves the writer where it is
    mode: Literal["unplanned", "planned", "return"] = "unplanned"
    # An operator confirms that the lost region is down and stays down: no cool-down and no witness, and a fence of the
    # own region is overridden.
    forced: bool = False
    writer_region: str | None = None  # failback: the target region; None: the primary place's
    failing_since: str | None = None
    detected_at: str | None = None
    failed_runs: int = 0  # runs for the same loss that failed before this one; the sentinel reads it again


class PreconditionsInput(Model):
    machine: Machine
    execution: str  # ARN
    started_at: str
    request: Request


class PreconditionsOutput(Model):
    met: bool
    reason: str
    region: str
    epoch: int  # of the region's record
    writer_region: str  # target region of the writer
    writer_epoch: int  # of the writer's record
    mode: str
    by: str
    own_fenced: bool  # this region is fenced; a forced failover overrides that first
    own_epoch: int  # of this region's record
    vouched: Vouched
    may_be_fenced: bool  # this region is or may be fenced; the claim of the writer then waits longer
    resumes: bool  # another execution moved the writer here and failed later; this one does the rest
    verification_key: str  # random part of the synthetic payment's id
    failing_since: str | None
    detected_at: str | None
    started_at: str
    at: str


class FenceInput(Model):
    region: str
    epoch: int
    by: str


class FenceOutput(Model):
    epoch: int
    changed: bool
    peer: str  # "in-sync", or why the lost region's own replica does not hold the fence
    peer_fenced_since: str | None  # since when its own replica is known to hold the fence
    at: str


class OverrideFenceInput(Model):
    epoch: int  # of this region's record
    by: str


class PromoteInput(Model):
    after_switchover: bool = False  # this run has started a switchover before


class SwitchoverInput(Model):
    writer_region: str


class WriterChange(Model):
    state: Literal["already-writer", "in-progress", "started", "not-possible"]
    method: Method
    reason: str = ""  # why a switchover is not possible
    at: str


class SwitchoverProgressInput(Model):
    since: str  # when the switchover was requested


class SwitchoverProgress(Model):
    state: Literal["done", "in-progress", "given-up"]
    reason: str
    at: str


class WriterInput(Model):
    region: str  # target region of the writer
    lost: str | None  # the region that must have stopped writing; None if it is alive and took part in the change
    since: str  # when the change of writer was requested
    fenced_at: str | None = None  # when the lost region's fence was written
    peer_fenced_since: str | None = None
    # First and last answer of the unbroken chain of the witness's "down", passed from one call to the next.
    down_since: str | None = None
    down_at: str | None = None
    vouched: Vouched = Vouched.NOTHING
    may_be_fenced: bool = False


class WriterOutput(Model):
    ready: bool
    reason: str
    down_since: str | None
    down_at: str | None
    at: str


class PublishInput(Model):
    writer_region: str
    epoch: int
    by: str
    vouched: Vouched = Vouched.NOTHING
    may_be_fenced: bool = False


class PublishOutput(Model):
    epoch: int
    changed: bool
    peer: str  # as in FenceOutput
    at: str


class ParameterInput(Model):
    writer_region: str


class ParameterOutput(Model):
    parameter: Literal["written", "unchanged"]
    at: str


class UnfenceInput(Model):
    region: str
    epoch: int
    by: str


class UnfenceOutput(Model):
    epoch: int
    changed: bool
    at: str


class PreflightInput(Model):
    region: str
    writer_region: str


class PreflightOutput(Model):
    endpoints: dict[str, str]  # health by region and endpoint
    reader_lag_seconds: float | None  # None: it is the writer already
    at: str


class VerifyInput(Model):
    execution: str  # name
    writer_region: str
    key: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")  # random part of the payment's id


class VerifyOutput(Model):
    payment_id: str
    durability: str
    endpoints: dict[str, str]  # health by endpoint
    posted_after_seconds: float
    at: str


class ReplayInput(Model):
    writer_region: str
    seconds: float | None = None  # AWS seconds of this invocation; None: as long as the ledger can
    continuation: dict[str, Any] | None = None  # of the last response


class Replayed(Model):
    """A response of the ledger's replay; the counts are summed over all responses of the replay."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    checked: int  # payments in the backlogs
    missing: int  # not in the database: lost by it, or accepted while nobody could post
    posted: int
    poisoned: int
    waiting: int  # kept in a backlog: not yet durable in its region, or in a journal that is unreachable
    unreachable: dict[str, str] = Field(default_factory=dict)  # reason by region whose backlog or journal is
    done: bool
    continuation: dict[str, Any] | None = None


class MetricsInput(Model):
    """The times at which the steps of the execution finished; None for a step that did not run."""

    failing_since: str | None = None
    detected_at: str | None = None
    started_at: str
    fenced_at: str | None = None
    change_requested_at: str | None = None  # of the writer
    writer_at: str | None = None
    published_at: str | None = None
    replayed_at: str | None = None
    unfenced_at: str | None = None
    verified_at: str | None = None
    method: Method | None = None
    replay: Replayed | None = None


class MetricsOutput(Model):
    writer_change: str  # how the writer moved, for people
    seconds: dict[str, float]
    payments: dict[str, int]  # counts of the replay; empty if there was none
    at: str


class ApprovalInput(Model):
    token: str  # task token
    execution: str
    region: str


class NotifyInput(Model):
    machine: Machine
    execution: str  # ARN
    outcome: Literal["succeeded", "failed"]
    document: dict[str, Any] = Field(default_factory=dict)


class NotifyOutput(Model):
    message_id: str
    at: str
