"""The function's own queue, and the one for what a person has to look at."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from . import messages
from .aws_calls import called

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
