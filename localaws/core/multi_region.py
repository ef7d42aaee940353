"""Calls signed for every region (Signature Version 4A): what their body names decides where they are served.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html ("AWS Signature Version 4A")
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from localaws.core import http_server
from localaws.core.http_server import Message, Receive
from localaws.core.routing import Call, Headers, is_for_every_region

_LONGEST_BODY = 1024 * 1024  # bytes; PutEvents takes 256 KB

Locate = Callable[[dict[str, Any]], str | None]
_locators: dict[tuple[str, str], Locate] = {}


def serve(service: str, operation: str, locate: Locate) -> None:
    """Serve an operation that is signed for every region where `locate(its parameters)` says."""
    _locators[service, operation] = locate


async def located(call: Call, headers: Headers, receive: Receive) -> tuple[Call, Receive]:
    """`call` in the region that it is for, and its body to read once more."""
    locate = _locators.get((call.service, headers.target.rpartition(".")[2]))
    if locate is None or not is_for_every_region(headers):
        return call, receive
    body = await http_server.read_body(receive, at_most=_LONGEST_BODY)
    region = _region(locate, body)
    return (replace(call, region=region, located=True) if region else call), _again(body, receive)


def _region(locate: Locate, body: bytes) -> str | None:
    try:
        parameters = json.loads(body)
    except ValueError:
        return None
    return locate(parameters) if isinstance(parameters, dict) else None


def _again(body: bytes, receive: Receive) -> Receive:
    """`receive` as if the body had not been read yet."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return pending.pop() if pending else await receive()

    return receive_again
