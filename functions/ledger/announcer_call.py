"""The invocation of the function `announcer` by the ledger, after it has posted a batch.

It is asynchronous: Lambda queues the event, and posting does not wait for its result. If the invocation fails, a sweep
of the announcer announces the payments up to a minute and a half later.
"""

import json
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from common.circuit_breaker import Breaker

ANNOUNCE, SWEEP = "announce", "sweep"  # operations of the announcer
_TRIAL_SECONDS = 30.0


class AnnouncerCall:
    """Invokes `function`. Stops trying for a while when Lambda's API fails repeatedly, since each try delays posting by
    the timeout of `client`."""

    def __init__(self, client: Any, function: str) -> None:
        self._client = client
        self._function = function
        self._breaker = Breaker(failures_to_open=2, trial_seconds=_TRIAL_SECONDS)

    def announce(self, payment_ids: Sequence[str]) -> str | None:
        """Have these posted payments announced. Returns the error's code or class name if that could not be requested;
        None if it was."""
        if not self._breaker.permits():
            return "NotAsked"
        payload = json.dumps({"operation": ANNOUNCE, "payment_ids": list(payment_ids)})
        try:
            self._client.invoke(FunctionName=self._function, InvocationType="Event", Payload=payload.encode())
        except ClientError as error:
            problem = error.response.get("Error", {}).get("Code", "ClientError")
        except BotoCoreError as error:
            problem = type(error).__name__
        else:
            self._breaker.succeeded()
            return None
        self._breaker.failed()
        return problem
