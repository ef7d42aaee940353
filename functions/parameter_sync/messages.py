"""What arrives in the queue: change events of AWS, and notes of our own. Each says to look at a name, none is believed.

Events are those of parameters [EVENTS-13] and of tags [EVENTS-14]. They carry no value.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import messages
from .errors import called
from .settings import Scope

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


# The function's own queue, and the one for what a person has to look at.


_LONGEST_DELAY = 900  # seconds (API SQS.SendMessage, DelaySeconds)
_LONGEST_HIDING = 43_200  # seconds (API SQS.ChangeMessageVisibility)


class Queues:
    """Raises what `aws_calls` does. Neither ever gets a value."""

    def __init__(self, client: Any, *, region: str, url: str, dead_letter_url: str) -> None:
        self._client = client
        self._region = region
        self._url = url
        self._dead_letter_url = dead_letter_url

    def look_again(self, name: str, *, seconds: int) -> None:
        self._send(self._url, messages.look_note(name), delay=min(seconds, _LONGEST_DELAY))

    def go_on(self, after: str) -> None:
        """Have the reconciliation continued after this name."""
        self._send(self._url, messages.reconcile_note(after))

    def retry(self, message: messages.Message, *, seconds: int) -> None:
        """Bring the message again after so long, rather than after the queue's own time."""
        asked = {"ReceiptHandle": message.receipt, "VisibilityTimeout": min(seconds, _LONGEST_HIDING)}
        self._call("change_message_visibility", QueueUrl=self._url, **asked)

    def bury(self, reasons: Mapping[str, str], **about: Any) -> None:
        """A dead letter with its reasons, by parameter."""
        letter = {"kind": "parameter-sync", "region": self._region, "reasons": dict(reasons), **about}
        self._send(self._dead_letter_url, json.dumps(letter))

    def _send(self, url: str, body: str, *, delay: int = 0) -> None:
        self._call("send_message", QueueUrl=url, MessageBody=body, DelaySeconds=delay)

    def _call(self, operation: str, **asked: Any) -> None:
        called(self._region, operation, lambda: getattr(self._client, operation)(**asked))


def in_parts(reasons: Mapping[str, str], size: int) -> Sequence[Mapping[str, str]]:
    """Small enough to send, in the order of names."""
    items = sorted(reasons.items())
    return [dict(items[start : start + size]) for start in range(0, len(items), size)]
