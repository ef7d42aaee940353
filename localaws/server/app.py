"""The ASGI application in front of the emulator: outages, the control API, and errors for unknown services.

Every HTTP call passes here once. Calls for a lost region, or from a function of one, are refused; calls that were
running there when the region was lost get no answer either. Unsigned calls are served in the region of the resource
they name. A service that is not emulated is refused at once, by name.
"""

import asyncio
import contextlib
import functools
from collections.abc import Callable

from localaws import emulator as localaws_emulator
from localaws.core import aws_errors, call_recorder, http_server
from localaws.core.call_recorder import RecordedCalls
from localaws.core.control import Control
from localaws.core.http_server import Asgi, Message, Receive, Scope, Send
from localaws.core.outages import Outage, OutageKind, Outages
from localaws.core.routing import REGION_HEADER, Call, Headers, located, read

_LONGEST_BODY = 64 * 1024  # bytes read to find out the operation of a refused call


class EmbeddedAws:
    """`emulator` is ministack's application. Calls that name no region belong to the first of `outages.regions`."""

    def __init__(self, emulator: Asgi, outages: Outages, control: Control, calls: RecordedCalls) -> None:
        self._emulator = emulator
        self._default_region = outages.regions[0]
        self._control = control
        self._calls = calls
        self.refusals = Refusals(outages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._emulator(scope, receive, send)
            return
        headers = Headers.of(scope["headers"])
        if Control.serves(scope["path"]):
            await respond(send, await self._control.answer(scope, headers, receive))
            return
        call, receive = await located(read(scope, headers, self._default_region), headers, receive)
        receive = await self._count(call, headers, scope, receive)
        if outage := self.refusals.lost(call):
            await self.refusals.refuse(outage, call, headers, scope, receive, send)
            return
        if call.plane == "control" and call.signed and not localaws_emulator.requests.is_emulated(call.service):
            await respond(send, await _unknown_service(call, headers, scope, receive))
            return
        if headers.from_region:
            kept = [line for line in scope["headers"] if line[0] != REGION_HEADER]
            scope = {**scope, "headers": kept}
        by_signature = call.signed and call.plane == "control" and not call.located
        localaws_emulator.requests.region_of_unsigned_call.set(None if by_signature else call.region)
        send = self._unless_lost(call, headers, scope, receive, send)
        await self._emulator(scope, receive, self._unless_degraded(call, send))

    def _unless_degraded(self, call: Call, send: Send) -> Send:
        """`send`, but API Gateway's own error in place of a response that its degraded region loses."""
        if call.service != "execute-api" or not self.refusals.loses_response(call):
            return send

        async def send_error(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                body = b'{"message": "Internal server error"}'
                headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
                await respond(send, aws_errors.Response(status=500, headers=headers, body=body))

        return send_error

    async def _count(self, call: Call, headers: Headers, scope: Scope, receive: Receive) -> Receive:
        """Count a call, whatever becomes of it; returns its body to read once more."""
        if call.region is None:
            return receive
        first: list[Message] = []
        if call_recorder.has_form(headers):
            first.append(await receive())
        body = first[0].get("body", b"") if first else b""
        self._calls.request(call, call_recorder.operation_of(call, headers, scope["method"], scope["path"], body))

        async def receive_all() -> Message:
            return first.pop() if first else await receive()

        return receive_all if first else receive

    def _unless_lost(self, call: Call, headers: Headers, scope: Scope, receive: Receive, send: Send) -> Send:
        """`send`, but for a call whose region is lost by the time its answer is ready."""
        refused = False

        async def send_unless_lost(message: Message) -> None:
            nonlocal refused
            if refused:
                return
            if message["type"] == "http.response.start" and (outage := self.refusals.lost(call)):
                refused = True
                await self.refusals.refuse(outage, call, headers, scope, receive, send)
                return
            await send(message)

        return send_unless_lost


async def _unknown_service(call: Call, headers: Headers, scope: Scope, receive: Receive) -> aws_errors.Response:
    body = await http_server.read_body(receive, at_most=_LONGEST_BODY)
    asked = aws_errors.operation(headers, scope["method"], scope["path"], body)
    message = f"The embedded AWS does not emulate {call.service} (operation {asked})."
    return aws_errors.error(call, headers, status=501, code="NotImplemented", message=message)


# A hung request costs a task and a socket. Beyond these bounds the connection is closed instead.
_MOST_HUNG = 1000
_LONGEST_HANG = 900.0  # seconds on this machine; SDKs give up after 60 s by default


class Refusals:
    """Refuses calls for lost regions and services in the way each of them fails, and counts them."""

    def __init__(self, outages: Outages) -> None:
        self._outages = outages
        self._hung: dict[Callable[[], object], str] = {}  # how to let go of a request, and its region
        self._stopped = False
        outages.on_change(self._changed)
        outages.on_link_change(self._release_all)
        outages.on_service_change(self._release_all)

    def lost(self, call: Call) -> Outage | None:
        """The outage that keeps `call` from being answered, if any."""
        for region in call.regions():
            if outage := self._outages.obstacle(call.caller, region):
                return outage
        return self._outages.service_outage(call.region, call.service) if call.region else None

    def loses_response(self, call: Call) -> bool:
        """Whether the region of `call` loses the response to it, by chance."""
        return call.region is not None and self._outages.fails(call.region)

    async def refuse(
        self, outage: Outage, call: Call, headers: Headers, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._outages.refuse(outage.region, call.what)
        match outage.kind:
            case OutageKind.ERROR:
                message = f"{call.service} in {outage.region} is unavailable"
                await respond(
                    send, aws_errors.error(call, headers, status=503, code="ServiceUnavailable", message=message)
                )
                return
            case OutageKind.HANG:
                await self._hang(outage, receive)
        http_server.reset(scope)
        await http_server.disconnected(receive)

    def stop(self) -> None:
        """Let go of every hung request, since the server ends."""
        self._stopped = True
        for release in list(self._hung):
            release()

    async def _hang(self, outage: Outage, receive: Receive) -> None:
        """Return when the client has given up, the region is healed, or a bound is reached."""
        if self._stopped or len(self._hung) >= _MOST_HUNG:
            return
        released = asyncio.Event()
        release = functools.partial(asyncio.get_running_loop().call_soon_threadsafe, released.set)
        self._hung[release] = outage.region
        waits = {
            asyncio.ensure_future(released.wait()),
            asyncio.ensure_future(http_server.disconnected(receive)),
        }
        try:
            await asyncio.wait(waits, timeout=_LONGEST_HANG, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._hung[release]
            for wait in waits:
                wait.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await wait

    def _changed(self, region: str, _outage: Outage | None) -> None:
        """A hung request does not survive a change: its answer would describe an outage that is over."""
        for release, hung_region in list(self._hung.items()):
            if hung_region == region:
                release()

    def _release_all(self) -> None:
        for release in list(self._hung):
            release()


async def respond(send: Send, response: aws_errors.Response) -> None:
    """Send a whole response."""
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    await send({"type": "http.response.body", "body": response.body})
