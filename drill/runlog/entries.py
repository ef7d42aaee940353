"""Entries of a run log, one model for each kind. The log adds the time and the hash chain."""

from typing import Annotated, Any, Literal, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _names_a_change(rollback: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(rollback.get("change"), str):
        raise ValueError("a rollback names its change")
    return rollback


Rollback = Annotated[dict[str, Any], AfterValidator(_names_a_change)]
"""A change as `drill.model.context.plain` writes it and `from_plain` makes it again. It names places, never an ARN: the
log masks account numbers, and the cleanup finds the resources again through the deployment."""

ActionOutcome = Literal["done", "failed"]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunStarted(_Entry):
    """The plan, before the first call and the first change."""

    kind: Literal["run started"] = "run started"
    scenario: str
    environment: str
    local: bool
    regions: dict[str, str]  # by place
    plan: tuple[str, ...]  # steps, in words
    objectives: dict[str, str] = Field(default_factory=dict)  # what must be met, by name
    settings: dict[str, str] = Field(default_factory=dict)


class Probe(_Entry):
    """An observation that decided how the run went on."""

    kind: Literal["probe"] = "probe"
    step: str
    met: bool
    evidence: str


class ActionBegun(_Entry):
    """Written before a change is made. From here on its rollback is pending, even if the change fails."""

    kind: Literal["action begun"] = "action begun"
    action: str  # unique in the run
    name: str
    region: str | None = None
    rollback: Rollback | None = None  # None: the change needs none


class ActionDone(_Entry):
    """The outcome of a change. A failed one may have taken effect, so its rollback is still pending."""

    kind: Literal["action done"] = "action done"
    action: str
    outcome: ActionOutcome
    detail: str = ""


class ApiCall(_Entry):
    """One call to AWS, retries included."""

    kind: Literal["api call"] = "api call"
    service: str
    operation: str
    region: str
    outcome: str  # "ok", AWS's error code, or the exception's name when no answer came
    seconds: float


class Measure(_Entry):
    """A figure and the limit it is judged by."""

    kind: Literal["measure"] = "measure"
    name: str
    value: float | None  # None: it could not be measured
    unit: str
    limit: float | None = None


class VerdictReached(_Entry):
    """The run's verdict."""

    kind: Literal["verdict"] = "verdict"
    verdict: Literal["passed", "failed", "inconclusive"]
    first_broken: str | None = None


class RolledBack(_Entry):
    """A pending rollback was carried out, or failed."""

    kind: Literal["rollback"] = "rollback"
    action: str  # the one that is rolled back
    outcome: ActionOutcome
    detail: str = ""
    by: Literal["run", "cleanup"] = "run"


class RunEnded(_Entry):
    """The run ended by itself; a log without this entry was cut off."""

    kind: Literal["run ended"] = "run ended"
    status: int  # exit status


class CleanedUp(_Entry):
    """`drill cleanup` restored the environment after a run that was cut off."""

    kind: Literal["cleaned up"] = "cleaned up"
    done: tuple[str, ...]


Entry = Annotated[
    RunStarted
    | Probe
    | ActionBegun
    | ActionDone
    | ApiCall
    | Measure
    | VerdictReached
    | RolledBack
    | RunEnded
    | CleanedUp,
    Field(discriminator="kind"),
]


class EntryWriter(Protocol):
    """The target of a run's entries: `drill.runlog.log.RunLog`."""

    def write(self, entry: Entry) -> None: ...
