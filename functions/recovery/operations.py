"""The operations by name, each with the model of its input; `perform` validates and runs one.

The names are an interface: the state machines send them (`components/failover/steps.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from common.clock import Pace, timestamp

from . import models
from .context import RecoveryContext
from .database import describe_writer, promote, switch_over
from .errors import UnknownOperation
from .fencing import fence, override_fence, publish, publish_parameter, unfence
from .ledger_replay import replay
from .lossless import describe_switchover, try_switchover
from .models import MetricsInput, MetricsOutput
from .notifications import notify, request_approval
from .preconditions import check_preconditions
from .preflight import preflight
from .verification import verify_payment

# Durations of an execution, each with its first and its last moment.
_SPANS = {
    "detection": ("failing_since", "detected_at"),
    "start": ("detected_at", "started_at"),
    "fence": ("started_at", "fenced_at"),
    "writer_change": ("change_requested_at", "writer_at"),
    "publish": ("writer_at", "published_at"),
    "replay": ("published_at", "replayed_at"),
    "unfence": ("published_at", "unfenced_at"),
    "verification": ("published_at", "verified_at"),
    "run": ("started_at", "verified_at"),
    "loss_to_verification": ("failing_since", "verified_at"),
}
_METHODS: dict[models.Method, str] = {
    "none": "none: the writer was there already",
    "switchover": "switchover without data loss",
    "promotion": "promotion with possible data loss",
}


def measure_durations(request: MetricsInput, pace: Pace) -> MetricsOutput:
    """The durations (AWS seconds) of which both ends are known, and the counts of the replay."""
    moments = request.model_dump(exclude={"replay", "method"})
    spans = {name: (moments[begin], moments[end]) for name, (begin, end) in _SPANS.items()}
    return MetricsOutput(
        writer_change=_METHODS[request.method or "none"],
        seconds={name: round(pace.between(begin, end), 3) for name, (begin, end) in spans.items() if begin and end},
        payments=request.replay.model_dump(exclude={"done", "continuation", "unreachable"}) if request.replay else {},
        at=timestamp(pace.now()),
    )


@dataclass(frozen=True)
class Operation:
    """A function of this package and the model of its input."""

    input: type[BaseModel]
    run: Callable[[Any, RecoveryContext], BaseModel]


OPERATIONS = {
    "check-preconditions": Operation(models.PreconditionsInput, check_preconditions),
    "override-fence": Operation(models.OverrideFenceInput, override_fence),
    "fence": Operation(models.FenceInput, fence),
    "request-approval": Operation(models.ApprovalInput, request_approval),
    "try-switchover": Operation(models.NoInput, try_switchover),
    "describe-switchover": Operation(models.SwitchoverProgressInput, describe_switchover),
    "promote": Operation(models.PromoteInput, promote),
    "switchover": Operation(models.SwitchoverInput, switch_over),
    "describe-writer": Operation(models.WriterInput, describe_writer),
    "publish": Operation(models.PublishInput, publish),
    "publish-parameter": Operation(models.ParameterInput, publish_parameter),
    "replay": Operation(models.ReplayInput, replay),
    "verify-payment": Operation(models.VerifyInput, verify_payment),
    "measure-durations": Operation(models.MetricsInput, lambda request, ctx: measure_durations(request, ctx.pace)),
    "notify": Operation(models.NotifyInput, notify),
    "preflight": Operation(models.PreflightInput, preflight),
    "unfence": Operation(models.UnfenceInput, unfence),
}


def perform(event: Mapping[str, Any], ctx: RecoveryContext) -> dict[str, Any]:
    """Run the operation that `event` names; the other fields are its input. Returns its output as JSON. Raises
    RecoveryError and ReplicaUnavailable."""
    name = event.get("operation")
    operation = OPERATIONS.get(str(name))
    if operation is None:
        raise UnknownOperation(f"unknown operation {name!r}; known are {', '.join(sorted(OPERATIONS))}")
    try:
        request = operation.input.model_validate({key: value for key, value in event.items() if key != "operation"})
    except ValidationError as error:
        invalid = {".".join(map(str, each["loc"])): each["msg"] for each in error.errors(include_input=False)}
        raise UnknownOperation(f"operation {name} has invalid fields: {invalid}") from None
    return operation.run(request, ctx).model_dump(mode="json")
