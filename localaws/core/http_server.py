"""The HTTP server in front of the emulator: uvicorn on a socket bound to loopback.

uvicorn with httptools, not the hypercorn that ministack brings: it takes twice the calls a second on one core, and its
protocol class lets an application close the connection under a request, which ASGI itself has no message for.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

_CONNECTION = "localaws.connection"
_LINGER_ZERO = struct.pack("ii", 1, 0)  # close() then sends RST instead of FIN, see socket(7)


class _Protocol(HttpToolsProtocol):
    """Passes the connection of a request to the application, through the ASGI state."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, _CONNECTION: transport}


def reset(scope: Scope) -> None:
    """Close the connection of this request with a TCP reset, without an answer; if it is closed already, do nothing."""
    transport: asyncio.Transport = scope["state"][_CONNECTION]
    if transport.is_closing():
        return
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    transport.abort()


async def disconnected(receive: Receive) -> None:
    """Return when the client has disconnected; what it sends until then is discarded."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def read_body(receive: Receive, *, at_most: int) -> bytes:
    """The start of a request's body; the rest is thrown away."""
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message["body"][: at_most - len(body)]
        if not message["more_body"]:
            break
    return body


def loopback_socket(port: int) -> socket.socket:
    """A bound socket; port 0 picks a free one. asyncio switches Nagle's algorithm off only with the protocol named."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


def server(app: Asgi) -> uvicorn.Server:
    """A server for `app`; `await server.serve(sockets=[…])` runs it, `server.should_exit = True` ends it."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # there is no proxy in front; its middleware costs a twentieth of each call
            date_header=False,  # the emulator sends its own
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
            reset_contextvars=True,  # one caller's account and region must not leak into the next call
        )
    )
