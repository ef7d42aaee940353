"""The invocation of the function `announcer` by the ledger, after it has posted a batch.

It is asynchronous: Lambda queues the event, and posting does not wait for its result. If the invocation fails, a sweep
of the announcer announces the payments up to a minute and a half later.

A payment whose row the batch has made is in the event with all that its announcement has: the row holds the same, and
nobody else has announced it, so that the announcer does not read it. The others are in the event by their ids.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from common.circuit_breaker import Breaker
from common.clock import timestamp
from common.payment_record import JournalEntry

from .announcements import Announcement, announced_amount

ANNOUNCE, SWEEP = "announce", "sweep"  # operations of the announcer
_TRIAL_SECONDS = 30.0
_FIELDS = ("payment_id", "amount", "currency", "content_hash", "accepted_at", "accepted_in")


@dataclass(frozen=True, kw_only=True)
class PostedBatch:
    """The announcer's event about a batch. `posted_at` (ISO 8601) is before the rows of `new` were made; empty without
    any."""

    new: list[Announcement]
    others: list[str]  # payment ids
    posted_at: str

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> Self:
        """From the event of `AnnouncerCall.announce`; an older version of the ledger sends the payments' ids only."""
        posted_at = str(event.get("posted_at", ""))
        new = [
            Announcement(
                payment_id=payment["payment_id"],
                amount=announced_amount(payment["amount"], payment["currency"]),
                currency=payment["currency"],
                content_hash=payment["content_hash"],
                accepted_at=datetime.fromisoformat(payment["accepted_at"]),
                accepted_in=payment["accepted_in"],
                posted_at=datetime.fromisoformat(posted_at),
            )
            for payment in event.get("payments", [])
        ]
        return cls(new=new, others=event["payment_ids"], posted_at=posted_at)


class AnnouncerCall:
    """Invokes `function`. Stops trying for a while when Lambda's API fails repeatedly, since each try delays posting by
    the timeout of `client`."""

    def __init__(self, client: Any, function: str) -> None:
        self._client = client
        self._function = function
        self._breaker = Breaker(failures_to_open=2, trial_seconds=_TRIAL_SECONDS)

    def announce(self, payment_ids: Sequence[str], *, new: Sequence[JournalEntry], posted_at: datetime) -> str | None:
        """Have the posted payments of a batch announced, of which `new` got their rows after `posted_at`. Returns the
        error's code or class name if that could not be requested; None if it was.

        500 payments are at most 150 KB; an asynchronous invocation may have 1 MB [LAMBDA-22].
        """
        if not self._breaker.permits():
            return "NotAsked"
        made = {entry.payment_id for entry in new}
        event = {
            "operation": ANNOUNCE,
            "posted_at": timestamp(posted_at),
            "payments": [{name: getattr(entry, name) for name in _FIELDS} for entry in new],
            "payment_ids": [payment_id for payment_id in payment_ids if payment_id not in made],
        }
        payload = json.dumps(event).encode()
        try:
            self._client.invoke(FunctionName=self._function, InvocationType="Event", Payload=payload)
        except ClientError as error:
            problem = error.response.get("Error", {}).get("Code", "ClientError")
        except BotoCoreError as error:
            problem = type(error).__name__
        else:
            self._breaker.succeeded()
            return None
        self._breaker.failed()
        return problem
