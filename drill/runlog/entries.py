"""What a drill writes into its journal, one model a kind of entry. The journal adds when, and the chain."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _names_a_change(undo: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(undo.get("change"), str):
        raise ValueError("an undo names its change")
    return undo


Undo = Annotated[dict[str, Any], AfterValidator(_names_a_change)]
"""A change as `drill.model.change.plain` writes it and `from_plain` makes it again. It names places, never an ARN: the
journal cuts account numbers, and whoever cleans up finds the resources again through the deployment."""

ActionOutcome = Literal["done", "failed"]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunStarted(_Entry):
    """The plan, before anything is asked or changed."""

    kind: Literal["run started"] = "run started"
    scenario: str
    environment: str
    local: bool
    regions: dict[str, str]  # by place
    plan: tuple[str, ...]  # steps, in words
    objectives: dict[str, str] = Field(default_factory=dict)  # what must be met, by name
    settings: dict[str, str] = Field(default_factory=dict)


class Probe(_Entry):
    """A look at the system that something was decided on."""

    kind: Literal["probe"] = "probe"
    step: str
    met: bool
    evidence: str


class ActionBegun(_Entry):
    """Written before a change is made. From here on the undo is owed, whatever becomes of the change."""

    kind: Literal["action begun"] = "action begun"
    action: str  # unique in the run
    name: str
    region: str | None = None
    undo: Undo | None = None  # None: the change needs none


class ActionDone(_Entry):
    """What became of a change. A failed one may have happened all the same, so its undo is still owed."""

    kind: Literal["action done"] = "action done"
    action: str
    outcome: ActionOutcome
    detail: str = ""


class ApiCall(_Entry):
    """One call to AWS, tries again included."""

    kind: Literal["api call"] = "api call"
    service: str
    operation: str
    region: str
    outcome: str  # "ok", AWS's error code, or the exception's name when no answer came
    seconds: float


class Measure(_Entry):
    """A number that an objective is judged by."""

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


class WayBack(_Entry):
    """An owed undo was carried out, or could not be."""

    kind: Literal["way back"] = "way back"
    action: str  # the one that is undone
    outcome: ActionOutcome
    detail: str = ""
    by: Literal["run", "cleanup"] = "run"


class RunEnded(_Entry):
    """The run ended by itself; a journal without it was cut off."""

    kind: Literal["run ended"] = "run ended"
    status: int  # exit status


class CleanedUp(_Entry):
    """`drill cleanup` restored the environment after a run that was cut off."""

    kind: Literal["cleaned up"] = "cleaned up"
    done: tuple[str, ...]


Entry = Annotated[
    RunStarted | Probe | ActionBegun | ActionDone | ApiCall | Measure | VerdictReached | WayBack | RunEnded | CleanedUp,
    Field(discriminator="kind"),
]
