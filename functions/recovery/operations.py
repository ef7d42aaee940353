"""Every operation by its name, with what it takes and gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from . import models
from .database import promote, switch, wait_for_writer
from .errors import UnknownOperation
from .fencing import fence, unfence
from .guard import guard
from .health import preflight
from .measuring import measure
from .proof import prove
from .publishing import publish
from .replaying import replay
from .surroundings import Surroundings
from .telling import ask, notify


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
