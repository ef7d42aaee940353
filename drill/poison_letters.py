"""What people are told of entries that cannot be posted: the messages that wait in a region's queue."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from drill.actions_journal import PREFIX
from drill.probes import ProbeError
from drill.site import Site
from shared.places import Place

_RECEIVES = 20


def read_poison(site: Site, place: Place) -> dict[str, str]:
    """The drill's own entries among the messages, with the reason each was refused for. Messages stay in the queue,
    hidden for a moment from other readers. Raises ProbeError."""
    client, found = site.client("sqs", place), {}
    try:
        for _ in range(_RECEIVES):
            received = client.receive_message(
                QueueUrl=site.dead_letters[place], MaxNumberOfMessages=10, VisibilityTimeout=5, WaitTimeSeconds=0
            ).get("Messages", [])
            if not received:
                break
            for said in (_said(message["Body"]) for message in received):
                if str(said.get("payment_id", "")).startswith(PREFIX):
                    found[str(said["payment_id"])] = str(said.get("reason", ""))
    except (BotoCoreError, ClientError) as error:
        raise ProbeError(f"the dead letters in {site.region(place)} cannot be read: {error}") from error
    return found


def _said(body: str) -> dict[str, Any]:
    """Other senders' messages may be anything."""
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
