"""What arrives in the queue: change events of AWS, and notes of our own. Each says to look at a name, none is believed.

Events are those of parameters [EVENTS-13] and of tags [EVENTS-14]. They carry no value.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .scope import Scope

LOOK, RECONCILE = "look", "reconcile"
_CHANGE = ("aws.ssm", "Parameter Store Change")
_TAGS = ("aws.tag", "Tag Change on Resource")
_RESOURCE = ":parameter"


class Unreadable(ValueError):
    """Not a message that the function knows; the message says what is wrong with it, without quoting it."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One record of the queue. `name` is empty for a note to go on with a reconciliation, after `after`."""

    id: str
    receipt: str
    receives: int
    body: str
    name: str = ""
    after: str | None = None

    @property
    def fingerprint(self) -> str:
        """Tells bodies apart that must not be shown."""
        return hashlib.sha256(self.body.encode()).hexdigest()[:16]


def received(record: Mapping[str, Any]) -> Message:
    """A record as SQS hands it over, not yet understood."""
    return Message(
        id=record["messageId"],
        receipt=record["receiptHandle"],
        receives=int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)),
        body=record["body"],
    )


def understood(message: Message, scope: Scope) -> Message:
    """With what it asks for. Raises Unreadable."""
    try:
        event = json.loads(message.body)
    except ValueError:
        raise Unreadable("its body is no JSON") from None
    if not isinstance(event, dict):
        raise Unreadable("its body is no JSON object")
    if event.get("operation") == RECONCILE:
        return _with(message, after=str(event.get("after") or ""))
    name = event.get("name") if event.get("operation") == LOOK else _named_by(event)
    if not isinstance(name, str) or not name:
        raise Unreadable("it names no parameter")
    if objection := scope.objection(name):
        raise Unreadable(objection)
    return _with(message, name=name)


def look_note(name: str) -> str:
    return json.dumps({"operation": LOOK, "name": name})


def reconcile_note(after: str) -> str:
    return json.dumps({"operation": RECONCILE, "after": after})


def _named_by(event: Mapping[str, Any]) -> str | None:
    kind = (event.get("source"), event.get("detail-type"))
    detail, resources = event.get("detail"), event.get("resources")
    if kind == _CHANGE and isinstance(detail, dict):
        name = detail.get("name")
        return name if isinstance(name, str) else None
    if kind == _TAGS and isinstance(resources, list) and len(resources) == 1:
        _, found, path = str(resources[0]).partition(_RESOURCE)
        return path if found else None
    raise Unreadable("it is neither a change of a parameter nor a note of ours")


def _with(message: Message, **found: Any) -> Message:
    return Message(**{**vars(message), **found})
