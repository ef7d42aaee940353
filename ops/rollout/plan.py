"""The engine's plan of a stack: what `pulumi preview` would create, update, replace and delete.

Read from the events that the CLI writes with `--event-log`, as the Automation API does; values in them are of no
interest here, and secrets are masked there.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from shared.command_line import CouldNotStart

REPLACED, DELETED = "replaced", "deleted"
_OPERATIONS = {
    "replace": REPLACED,
    "create-replacement": REPLACED,
    "delete-replaced": REPLACED,
    "delete": DELETED,
}
"""The engine's operations after which an existing resource is gone (apitype.OpType)."""
_CHANGING = {"create", "update", *_OPERATIONS}
_COUNTED = ("create", "update", "replace", "delete")
"""The counts of the engine that are shown. A replacement is counted as one, not by its three steps."""


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A resource that the plan replaces or deletes."""

    stack: str
    urn: str
    how: str  # REPLACED or DELETED
    because: Sequence[str] = ()  # arguments that force the replacement
    retained: bool = False  # a deletion leaves it in AWS (`retain_on_delete`)

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]

    @property
    def type(self) -> str:
        return self.urn.split("::")[2].rpartition("$")[2]

    @property
    def why(self) -> str:
        return f" ({', '.join(self.because)})" if self.because else ""

    def __str__(self) -> str:
        return f"{self.stack}: {self.name}, {self.type}: {self.how}{self.why}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    stack: str
    counts: Mapping[str, int] = field(default_factory=dict)  # by operation of _COUNTED
    losses: Sequence[Loss] = ()
    changed: Sequence[str] = ()  # operation, type and name of each resource that is not left as it is

    @property
    def changes(self) -> bool:
        return any(self.counts.values())

    @property
    def summary(self) -> str:
        """`primary: 3 to update, 1 to replace`, and a line for each resource that is replaced or deleted."""
        counted = ", ".join(f"{count} to {word}" for word, count in self.counts.items() if count)
        lost = [f"    {loss.how}: {loss.name}, {loss.type}{loss.why}" for loss in self.losses]
        return "\n".join([f"  {self.stack}: {counted or 'no changes'}", *lost])


def read(stack: str, log: Path) -> Plan:
    """The plan in the events of a preview. Raises CouldNotStart for a log without an end."""
    losses: dict[str, Loss] = {}
    changed: dict[str, str] = {}
    counts: Mapping[str, int] | None = None
    for event in _events(log):
        if "summaryEvent" in event:
            counts = event["summaryEvent"].get("resourceChanges") or {}
        elif (loss := _loss(stack, (event.get("resourcePreEvent") or {}).get("metadata") or {})) is not None:
            known = losses.get(loss.urn)
            # The last step of a replacement does not repeat the cause.
            losses[loss.urn] = replace(loss, because=loss.because or (known.because if known else ()))
        # Of a refresh, only the outputs name the operation.
        for kind in ("resourcePreEvent", "resOutputsEvent"):
            step = (event.get(kind) or {}).get("metadata") or {}
            if (operation := step.get("op")) in _CHANGING:
                type_, name = step["urn"].rsplit("::", 2)[1:]
                changed[step["urn"]] = f"{operation} {type_.rpartition('$')[2]} {name}"
    if counts is None:
        raise CouldNotStart(f"the CLI's preview of {stack} has no summary; run it again")
    shown = {operation: counts.get(operation, 0) for operation in _COUNTED}
    return Plan(
        stack=stack,
        counts=shown,
        losses=sorted(losses.values(), key=lambda each: each.name),
        changed=sorted(changed.values()),
    )


def _events(log: Path) -> Iterable[dict[str, Any]]:
    with log.open() as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _loss(stack: str, step: Mapping[str, Any]) -> Loss | None:
    how = _OPERATIONS.get(step.get("op", ""))
    old = step.get("old") or {}
    if how is None or not old.get("custom"):
        return None  # components exist in the state only
    return Loss(
        stack=stack,
        urn=step["urn"],
        how=how,
        because=tuple(step.get("keys") or ()),
        retained=bool(old.get("retainOnDelete")),
    )
