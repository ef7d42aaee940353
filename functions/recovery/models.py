"""What each operation takes and gives. Moments are ISO 8601 in UTC, seconds are AWS seconds."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Machine = Literal["failover", "failback"]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Model):
    """An operation that needs to be told nothing."""


class Request(Model):
    """The input of an execution: what a sentinel or a person asks for."""

    region: str  # failover: the region to leave; failback: the region to bring back
    epoch: int | None = None  # of that region's control record when it was decided; None: whatever it is
    by: str = "operator"
    reason: str = ""
    mode: Literal["unplanned", "planned"] = "unplanned"  # planned: both regions live, so the writer moves without loss
    forced: bool = False  # a person vouches: no cool-down, and the lost region is known to be dead
    writer_region: str | None = None  # failback: where the writer belongs; None: the primary place's region
    failing_since: str | None = None
    detected_at: str | None = None


class GuardInput(Model):
    machine: Machine
    execution: str  # ARN
    started_at: str
    request: Request


class GuardOutput(Model):
    go: bool
    why: str
    region: str
    epoch: int  # of the region's record
    writer_region: str  # where the writer is to be
    writer_epoch: int
    mode: str
    forced: bool
    finishes: bool  # another run moved the writer here and did not come to its end: what is left is done
    failing_since: str | None
    detected_at: str | None
    started_at: str
    replay_since: str  # payments accepted at this time or later are looked for in the new writer
    at: str


class FenceInput(Model):
    region: str
    epoch: int
    by: str


class FenceOutput(Model):
    epoch: int
    changed: bool
    peer: str  # "there", or why the lost region's own replica does not hold the fence
    peer_knows_since: str | None
    at: str


class SwitchInput(Model):
    writer_region: str


class WriterChange(Model):
    state: Literal["already", "in-progress", "started"]
    at: str


class WriterInput(Model):
    region: str  # where the writer is to be
    lost: str | None  # the region that must have stopped writing; None when it lives and knows
    since: str  # when the change of writer was asked for
    peer_knows_since: str | None = None
    down_since: str | None = None  # the unbroken chain of the witness's "down", from one call to the next
    down_at: str | None = None
    forced: bool = False


class WriterOutput(Model):
    ready: bool
    why: str
    down_since: str | None
    down_at: str | None
    at: str


class PublishInput(Model):
    writer_region: str
    epoch: int
    by: str


class PublishOutput(Model):
    epoch: int
    changed: bool
    peer: str
    parameter: Literal["written", "there"]
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
    doors: dict[str, str]
    reader_lag_seconds: float | None  # None: CloudWatch has no figure; the switchover waits for the reader in any case
    at: str


class ProveInput(Model):
    execution: str  # its name: the payment's id follows from it
    writer_region: str


class ProveOutput(Model):
    payment_id: str
    durability: str
    doors: dict[str, str]
    posted_after_seconds: float
    at: str


class ReplayInput(Model):
    writer_region: str
    since: str
    continuation: dict[str, Any] | None = None  # of the last answer


class Replayed(Model):
    """What the ledger's replay answered. Its counts are of all its answers together."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    checked: int
    missing: int  # not in the database: lost by it, or accepted while there was no writer
    posted: int
    poisoned: int
    conflicting: int
    done: bool
    continuation: dict[str, Any] | None = None


class MeasureInput(Model):
    """The moments of the run; a step that did not run has none."""

    failing_since: str | None = None
    detected_at: str | None = None
    started_at: str
    fenced_at: str | None = None
    asked_at: str | None = None  # the change of writer
    writer_at: str | None = None
    published_at: str | None = None
    replayed_at: str | None = None
    unfenced_at: str | None = None
    proved_at: str | None = None
    replay: Replayed | None = None


class MeasureOutput(Model):
    seconds: dict[str, float]
    payments: dict[str, int]  # what the replay counted; empty if there was none
    at: str


class AskInput(Model):
    token: str
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
