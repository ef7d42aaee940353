"""boto3 clients by service and region, and paginated reads."""

from collections.abc import Callable
from typing import Any

Client = Callable[[str, str], Any]


def pages(client: Any, operation: str, key: str, **asked: Any) -> list[Any]:
    """All of what a call lists under `key`."""
    if not client.can_paginate(operation):
        return list(getattr(client, operation)(**asked)[key])
    return [each for page in client.get_paginator(operation).paginate(**asked) for each in page.get(key, [])]
