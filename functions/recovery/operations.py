"""Every operation by its name, with what it takes and gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from common.clock import Pace, timestamp

from . import models
from .context import Surroundings
from .database import promote, switch, wait_for_writer
from .errors import UnknownOperation
from .fencing import fence, publish, unfence
from .models import MeasureInput, MeasureOutput
from .notifications import ask, notify
from .preconditions import guard
from .preflight import preflight
from .proof import prove, replay

# What a run took and what it cost, from the moments its steps wrote down. Pure but for the present moment.


# What is measured, and from which moment to which.
_SPANS = {
    "detection": ("failing_since", "detected_at"),
    "start": ("detected_at", "started_at"),
    "fence": ("started_at", "fenced_at"),
    "writer_change": ("asked_at", "writer_at"),
    "publish": ("writer_at", "published_at"),
    "replay": ("published_at", "replayed_at"),
    "unfence": ("published_at", "unfenced_at"),
    "proof": ("published_at", "proved_at"),
    "run": ("started_at", "proved_at"),
    "loss_to_proof": ("failing_since", "proved_at"),
}


def measure(given: MeasureInput, pace: Pace) -> MeasureOutput:
    """Spans of which both ends are known, and what the replay found."""
    moments = given.model_dump(exclude={"replay"})
    spans = {name: (moments[begin], moments[end]) for name, (begin, end) in _SPANS.items()}
    return MeasureOutput(
        seconds={name: round(pace.between(begin, end), 3) for name, (begin, end) in spans.items() if begin and end},
        payments=given.replay.model_dump(exclude={"done", "continuation"}) if given.replay else {},
        at=timestamp(pace.now()),
    )


@dataclass(frozen=True)
class Operation:
    takes: type[BaseModel]
    run: Callable[[Any, Surroundings], BaseModel]


OPERATIONS = {
    "guard": Operation(models.GuardInput, guard),
    "fence": Operation(models.FenceInput, fence),
    "ask": Operation(models.AskInput, ask),
    "promote": Operation(models.Nothing, promote),
    "switch": Operation(models.SwitchInput, switch),
    "writer": Operation(models.WriterInput, wait_for_writer),
    "publish": Operation(models.PublishInput, publish),
    "replay": Operation(models.ReplayInput, replay),
    "prove": Operation(models.ProveInput, prove),
    "measure": Operation(models.MeasureInput, lambda given, around: measure(given, around.pace)),
    "notify": Operation(models.NotifyInput, notify),
    "preflight": Operation(models.PreflightInput, preflight),
    "unfence": Operation(models.UnfenceInput, unfence),
}


def perform(event: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    """Run the operation that `event` names, with the rest of it as its input. Raises RecoveryError."""
    name = event.get("operation")
    operation = OPERATIONS.get(str(name))
    if operation is None:
        raise UnknownOperation(f"there is no operation {name!r}; there are {', '.join(sorted(OPERATIONS))}")
    try:
        given = operation.takes.model_validate({key: value for key, value in event.items() if key != "operation"})
    except ValidationError as error:
        wrong = {".".join(map(str, each["loc"])): each["msg"] for each in error.errors(include_input=False)}
        raise UnknownOperation(f"operation {name} was given wrong fields: {wrong}") from None
    return operation.run(given, around).model_dump(mode="json")
