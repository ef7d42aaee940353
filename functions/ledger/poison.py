"""Where entries go that can never be posted: the queue that people look at, with the reason and without the content.

Lambda's own on-failure destination could carry no reason, and would only be reached after the whole stream had waited.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError


class PoisonQueueUnavailable(Exception):
    """The queue took no message; the message is an error's name."""


@dataclass(frozen=True, kw_only=True)
class Poison:
    payment_id: str
    reason: str
    found_in: str  # region
    sequence: str | None = None  # in the stream


class PoisonQueue:
    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def put(self, poison: Poison) -> None:
        """Raises PoisonQueueUnavailable."""
        body = json.dumps({"kind": "poison-entry", **asdict(poison)})
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=body)
        except ClientError as error:
            raise PoisonQueueUnavailable(error.response.get("Error", {}).get("Code", "ClientError")) from None
        except BotoCoreError as error:
            raise PoisonQueueUnavailable(type(error).__name__) from None
