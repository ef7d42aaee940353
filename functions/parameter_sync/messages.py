"""Messages of the function's queue, and its dead letters; no message holds a value.

The queue gets change events of AWS (parameters [EVENTS-13], tags [EVENTS-14]) and the function's own messages. Each
only names a parameter; its state is always read from both regions.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import called
from .settings import Scope

SYNC, RECONCILE = "sync", "reconcile"
_CHANGE = ("aws.ssm", "Parameter Store Change")
_TAGS = ("aws.tag", "Tag Change on Resource")
_RESOURCE = ":parameter"


class Unreadable(ValueError):
    """The message is of no known form; the text is the reason, without quoting it."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One record of the queue. `name` is empty if it continues a reconciliation, after the name `after`. `is_event`: it
    is AWS's event of a change, and not this function's own message."""

    id: str
    receipt: str
    receives: int
    body: str
    name: str = ""
    after: str | None = None
    is_event: bool = False

    @property
    def fingerprint(self) -> str:
        """A short hash that identifies a body, which itself must not be shown."""
        return hashlib.sha256(self.body.encode()).hexdigest()[:16]


def received(record: Mapping[str, Any]) -> Message:
    """A record as SQS delivers it, not parsed yet."""
    return Message(
        id=record["messageId"],
        receipt=record["receiptHandle"],
        receives=int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)),
        body=record["body"],
    )


def parsed(message: Message, scope: Scope) -> Message:
    """`message` with its name or reconciliation position. Raises Unreadable."""
    try:
        event = json.loads(message.body)
    except ValueError:
        raise Unreadable("its body is not JSON") from None
    if not isinstance(event, dict):
        raise Unreadable("its body is not a JSON object")
    if event.get("operation") == RECONCILE:
        return _with(message, after=str(event.get("after") or ""))
    is_event = event.get("operation") != SYNC
    name = _named_by(event) if is_event else event.get("name")
    if not isinstance(name, str) or not name:
        raise Unreadable("it names no parameter")
    if objection := scope.objection(name):
        raise Unreadable(objection)
    return _with(message, name=name, is_event=is_event)


def sync_message(name: str) -> str:
    """The body of a message to synchronize the parameter `name`."""
    return json.dumps({"operation": SYNC, "name": name})


def reconcile_message(after: str) -> str:
    """The body of a message to continue a reconciliation after the name `after`."""
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
    raise Unreadable("it is neither a parameter change nor a message of this function")


def _with(message: Message, **found: Any) -> Message:
    return Message(**{**vars(message), **found})


_MAX_DELAY = 900  # seconds (API SQS.SendMessage, DelaySeconds)
_MAX_VISIBILITY = 43_200  # seconds (API SQS.ChangeMessageVisibility)


class Queues:
    """The function's own queue and the dead-letter queue. Methods raise the errors of `errors.called`."""

    def __init__(self, client: Any, *, region: str, url: str, dead_letter_url: str) -> None:
        self._client = client
        self._region = region
        self._url = url
        self._dead_letter_url = dead_letter_url

    def requeue(self, name: str, *, seconds: int) -> None:
        """Send a message to synchronize `name` after `seconds`."""
        self._send(self._url, sync_message(name), delay=min(seconds, _MAX_DELAY))

    def continue_after(self, after: str) -> None:
        """Send a message to continue the reconciliation after this name."""
        self._send(self._url, reconcile_message(after))

    def retry(self, message: Message, *, seconds: int) -> None:
        """Have the message delivered again after `seconds` instead of the queue's visibility timeout."""
        timeout = {"ReceiptHandle": message.receipt, "VisibilityTimeout": min(seconds, _MAX_VISIBILITY)}
        self._call("change_message_visibility", QueueUrl=self._url, **timeout)

    def send_dead_letter(self, reasons: Mapping[str, str], **about: Any) -> None:
        """Send a dead letter with its reasons by parameter; `about` are further fields."""
        letter = {"kind": "parameter-sync", "region": self._region, "reasons": dict(reasons), **about}
        self._send(self._dead_letter_url, json.dumps(letter))

    def _send(self, url: str, body: str, *, delay: int = 0) -> None:
        self._call("send_message", QueueUrl=url, MessageBody=body, DelaySeconds=delay)

    def _call(self, operation: str, **arguments: Any) -> None:
        called(self._region, operation, lambda: getattr(self._client, operation)(**arguments))


def in_parts(reasons: Mapping[str, str], size: int) -> Sequence[Mapping[str, str]]:
    """`reasons` in parts of at most `size`, ordered by name."""
    items = sorted(reasons.items())
    return [dict(items[start : start + size]) for start in range(0, len(items), size)]
